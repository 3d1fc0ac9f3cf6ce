import {
  CAPABILITIES_KEY,
  CLIENT_INFO_KEY,
  isObject,
  LOG_LEVEL_KEY,
  META_PREFIX,
  MODERN_VERSIONS,
  VERSION_KEY,
} from '../../kernel/index.ts';
import { toldOf } from '../modern/both-eras.ts';

/** The client of a session as its requests describe it to a server without sessions. */
export class DescribedClient {
  /** What it can be asked for, of what both eras know. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** Set by `logging/setLevel`; until then a server sends no log messages. */
  logLevel: string | null = null;
  readonly #info: unknown;

  /** @param params of its initialize */
  constructor(params: Readonly<Record<string, unknown>>) {
    this.capabilities = toldOf(isObject(params.capabilities) ? params.capabilities : {});
    this.#info = params.clientInfo;
  }

  /**
   * Parameters of a request with what every request of the revision has. What the client wrote under the reserved
   * keys, or as answers that only Gantry gives, is left out.
   */
  paramsOf(params: Readonly<Record<string, unknown>> = {}): Record<string, unknown> & { _meta: object } {
    const { _meta, inputResponses: _responses, requestState: _state, ...rest } = params;
    const own = isObject(_meta) ? Object.entries(_meta).filter(([key]) => !key.startsWith(META_PREFIX)) : [];
    return {
      ...rest,
      _meta: {
        ...Object.fromEntries(own),
        [VERSION_KEY]: MODERN_VERSIONS[0],
        ...(isObject(this.#info) ? { [CLIENT_INFO_KEY]: this.#info } : {}),
        [CAPABILITIES_KEY]: this.capabilities,
        ...(this.logLevel === null ? {} : { [LOG_LEVEL_KEY]: this.logLevel }),
      },
    };
  }
}

import type { CallOptions } from '../channel/index.ts';
import {
  isObject,
  type JsonRpcError,
  type JsonRpcOutcome,
  type Listed,
  OFFER_KINDS,
  OFFER_LISTS,
  type OfferKind,
  type Offers,
  type ToolView,
} from '../kernel/index.ts';
import type { Handshake } from './handshake.ts';

/** A server that pages for ever is cut off: claude-flow, the largest list seen, has 353 tools on one page. */
const MAX_PAGES = 100;
/** After so much text no further page is asked for: a list is kept in memory. */
const MAX_CHARS = 16 * 1024 * 1024;

/** What lists something: a replica, a session, or a router that picks a replica for every page. */
export type ListSource = {
  call(
    method: string,
    params: Record<string, unknown> | undefined,
    options: CallOptions,
  ): Promise<JsonRpcOutcome>;
};

export type FullList<T extends Listed = Listed> = {
  /** Each as the server wrote it. Where a page was refused, those of the pages before. */
  readonly entries: readonly T[];
  /** The server's own error, where it refused a page. */
  readonly error: JsonRpcError | null;
};

/** All pages of one list. @param options for each page. @throws as `call` of the source does */
export async function listAll(source: ListSource, kind: OfferKind, options: CallOptions): Promise<FullList> {
  const { method, id } = OFFER_LISTS[kind];
  const entries: Listed[] = [];
  let chars = 0;
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES && chars < MAX_CHARS; page++) {
    const params: Record<string, unknown> | undefined = cursor === null ? undefined : { cursor };
    const outcome = await source.call(method, params, options);
    if (!outcome.ok) return { entries, error: outcome.error };
    const { [kind]: listed, nextCursor } = isObject(outcome.result) ? outcome.result : {};
    if (Array.isArray(listed)) for (const entry of listed) if (isEntry(entry, id)) entries.push(entry);
    if (typeof nextCursor !== 'string' || nextCursor === '') break;
    chars += outcome.raw.length;
    cursor = nextCursor;
  }
  return { entries, error: null };
}

/**
 * All lists of a server that it declares to have.
 * @param options for each page, @param before what counts where a list cannot be read now
 * Never rejects: a list that fails hides none of the others.
 */
export async function listOffers(
  source: ListSource,
  { capabilities, instructions }: Pick<Handshake, 'capabilities' | 'instructions'>,
  options: CallOptions,
  before: Offers | null = null,
): Promise<Offers> {
  const list = async (kind: OfferKind): Promise<readonly Listed[]> => {
    if (capabilities[OFFER_LISTS[kind].capability] === undefined) return [];
    try {
      return (await listAll(source, kind, options)).entries;
    } catch {
      // Whoever holds the process hears of its end; here the last that is known has to do.
      return before?.[kind] ?? [];
    }
  };
  const [tools = [], prompts = [], resources = [], resourceTemplates = []] = await Promise.all(
    OFFER_KINDS.map(list),
  );
  return { tools: tools as readonly ToolView[], prompts, resources, resourceTemplates, instructions };
}

function isEntry(value: unknown, id: string): value is Listed {
  return isObject(value) && typeof value[id] === 'string';
}

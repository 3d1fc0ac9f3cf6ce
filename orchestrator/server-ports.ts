import type { Listening } from './http/index.ts';
import { messageOf, type ServerSpec } from './kernel/index.ts';

export type ServerPortsOptions = {
  /** Starts to listen for one server. @throws when the port is taken */
  readonly open: (spec: ServerSpec, port: number) => Promise<Listening>;
  readonly onTrouble: (message: string) => void;
};

/** The ports of their own that servers may have. One that cannot be opened stops nothing else. */
export class ServerPorts {
  readonly #options: ServerPortsOptions;
  readonly #open = new Map<string, { readonly port: number; readonly listening: Listening }>();

  constructor(options: ServerPortsOptions) {
    this.#options = options;
  }

  /** Opens and closes exactly what the list asks for. */
  async apply(specs: readonly ServerSpec[]): Promise<void> {
    for (const [name, { port, listening }] of [...this.#open]) {
      if (specs.some((spec) => spec.name === name && spec.port === port)) continue;
      this.#open.delete(name);
      await listening.close(0);
    }
    for (const spec of specs) {
      if (spec.port === null || this.#open.has(spec.name)) continue;
      try {
        this.#open.set(spec.name, { port: spec.port, listening: await this.#options.open(spec, spec.port) });
      } catch (error) {
        this.#options.onTrouble(
          `Port ${spec.port} of server ${spec.name} cannot be opened: ${messageOf(error)}`,
        );
      }
    }
  }

  async close(drainMs: number): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ listening }) => listening.close(drainMs)));
    this.#open.clear();
  }
}

import { type Clock, GantryError, type JsonRpcId } from '../../kernel/index.ts';
import type { ServerMessage } from '../../routing/index.ts';

type Answer = { readonly result: unknown } | { readonly error: unknown };

/** Requests of a server to the client of a session that Gantry makes for it, and their answers. */
export class ClientQuestions {
  readonly #clock: Clock;
  readonly #open = new Map<JsonRpcId, (answer: Answer) => void>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Asks, and waits for the answer.
   * @param tell brings the request to the client
   * @throws GantryError call_timeout after `withinMs`, cancelled when `signal` aborts
   */
  ask(
    { method, params }: { method: string; params: Record<string, unknown> },
    options: { withinMs: number; signal: AbortSignal; tell: (message: ServerMessage) => void },
  ): Promise<Answer> {
    const { withinMs, signal, tell } = options;
    const id = `gantry-${++this.#count}`;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancelTimer();
        signal.removeEventListener('abort', withdraw);
        this.#open.delete(id);
      };
      const withdraw = (): void => {
        end();
        tell({ kind: 'notification', method: 'notifications/cancelled', params: { requestId: id } });
        reject(new GantryError('cancelled', 'The caller withdrew this call.', { cause: signal.reason }));
      };
      const cancelTimer = this.#clock.after(withinMs, () => {
        end();
        const message = `The client did not answer ${method} in time. The call did not go on.`;
        reject(new GantryError('call_timeout', message, { detail: { method, mayHaveRun: true } }));
      });
      signal.addEventListener('abort', withdraw, { once: true });
      this.#open.set(id, (answer) => {
        end();
        resolve(answer);
      });
      tell({ kind: 'request', id, method, params });
    });
  }

  /** An answer nobody waits for is ignored. */
  answered(id: JsonRpcId, answer: Answer): void {
    this.#open.get(id)?.(answer);
  }
}

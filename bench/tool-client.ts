import { Pool } from 'undici';

/** Calls tools over REST on kept-alive connections. */
export class ToolClient {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #headers: Record<string, string> = { 'content-type': 'application/json' };

  constructor(options: {
    readonly url: string;
    readonly server: string;
    readonly connections: number;
    readonly token: string | null;
  }) {
    this.#pool = new Pool(options.url, { connections: options.connections, pipelining: 1 });
    this.#path = `/api/v1/servers/${options.server}/tools`;
    if (options.token !== null) this.#headers.authorization = `Bearer ${options.token}`;
  }

  /** @returns the text of the result. @throws Error with the refusal */
  async call(tool: string, args: object = {}): Promise<string> {
    const path = `${this.#path}/${tool}`;
    const body = JSON.stringify(args);
    const answer = await this.#pool.request({ method: 'POST', path, headers: this.#headers, body });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}: ${text}`);
    return (JSON.parse(text) as { content: [{ text: string }] }).content[0].text;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

import { request } from 'node:http';
import type { ExecutionContext } from 'ava';
import { createApp, type HttpOptions, listen } from '../../orchestrator/http/index.ts';
import type { Fact } from '../../orchestrator/kernel/index.ts';
import { fakeControls } from '../fakes/controls.ts';

export type Asked = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The parsed body. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
};

export type Ask = (
  method: string,
  path: string,
  options?: { readonly headers?: Record<string, string>; readonly body?: unknown; readonly text?: string },
) => Promise<Asked>;

/** An app on a free port with fake controls, and a way to ask it that may send any header, `Host` included. */
export async function startApp(
  t: ExecutionContext,
  overrides: Partial<HttpOptions> = {},
): Promise<{ url: string; port: number; ask: Ask; facts: Fact[] }> {
  const options = fakeControls(overrides);
  const facts: Fact[] = [];
  options.facts.listen((fact) => facts.push(fact));
  const server = await listen(createApp(options), { host: '127.0.0.1', port: 0 });
  t.teardown(() => server.close(0));
  return { url: server.url, port: server.port, ask: askAt(server.port), facts };
}

export function askAt(port: number): Ask {
  return (method, path, options = {}) =>
    new Promise((resolve, reject) => {
      const text = options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
      const headers = {
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        ...options.headers,
      };
      const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: body,
            get json() {
              return JSON.parse(body);
            },
          });
        });
      });
      asked.on('error', reject);
      asked.end(text);
    });
}

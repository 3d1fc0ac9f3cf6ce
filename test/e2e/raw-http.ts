import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

export type RawAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
};

export type RawRequest = {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly timeoutMs?: number;
};

/**
 * One HTTP request with exactly these headers: no client library that tidies up. A connection of its own each
 * time, so that no test depends on what another did to a kept one.
 */
export function rawRequest(url: URL, options: RawRequest = {}): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: options.method ?? 'GET',
        headers: { ...lengthOf(options), ...options.headers },
        agent: false,
        signal: AbortSignal.timeout(options.timeoutMs ?? 60_000),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}

/** Node frames the body of a DELETE only when its length is said. */
function lengthOf({ body }: RawRequest): OutgoingHttpHeaders {
  return body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
}

/**
 * Sends a body without end, as fast as it is taken, and stops when the answer arrives.
 * @returns the answer, and how many bytes had been handed to the socket by then
 */
export function endlessBody(
  url: URL,
  headers: OutgoingHttpHeaders,
): Promise<RawAnswer & { readonly sentBytes: number }> {
  return new Promise((resolve, reject) => {
    const chunk = Buffer.alloc(64 * 1024, ' ');
    let sentBytes = 0;
    let isOver = false;
    const sent = request(url, { method: 'POST', headers, agent: false, signal: AbortSignal.timeout(60_000) });
    const pump = (): void => {
      while (!isOver) {
        sentBytes += chunk.length;
        if (!sent.write(chunk)) return void sent.once('drain', pump);
      }
    };
    sent.on('response', (response) => {
      isOver = true;
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      // The request never ends, so the connection is cut once the answer is there.
      response.on('end', () => {
        sent.destroy();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, sentBytes });
      });
      response.on('error', reject);
    });
    // A server that has said 413 may close; what is still being written then fails, and that is no news.
    sent.on('error', (error) => {
      if (!isOver) reject(error);
    });
    pump();
  });
}

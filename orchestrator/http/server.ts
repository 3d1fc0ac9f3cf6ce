import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TurnoverMap } from '../kernel/index.ts';

/**
 * Bounds on a request that is still being received; a long answer is not limited by them. Node's own defaults
 * (60 s, 300 s, checked every 30 s) let a few slow clients hold connections for minutes.
 */
export const SERVER_LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
  /**
   * Above the 60 s after which usual proxies drop an idle connection themselves: who closes first must be the one who
   * sends next, or a request is lost on its way to a connection that is already gone, and a call must not be repeated.
   */
  keepAliveTimeout: 75_000,
  /** One descriptor each; far below the usual limit of a container. */
  maxConnections: 10_000,
};

export type Listening = {
  /** Where it really listens, `http://127.0.0.1:7400`. */
  readonly url: string;
  readonly port: number;
  /** Takes nothing new, lets answers end for up to `drainMs`, then cuts what is left. */
  close(drainMs: number): Promise<void>;
};

/** @throws the error of `listen`, such as EADDRINUSE: main decides whether that is fatal */
export async function listen(
  handle: RequestListener,
  options: { readonly host: string; readonly port: number; readonly limits?: Partial<typeof SERVER_LIMITS> },
): Promise<Listening> {
  const { maxConnections, ...limits } = { ...SERVER_LIMITS, ...options.limits };
  const open = new TurnoverMap<number, ServerResponse>();
  let lastRequest = 0;
  let draining = false;
  const take: RequestListener = (request, response) => {
    const number = ++lastRequest;
    open.set(number, response);
    if (draining) hangUpAfter(response);
    response.on('close', () => open.delete(number));
    handle(request, response);
  };
  const server = createServer(limits, take);
  server.maxConnections = maxConnections;
  // Not answered with "100 Continue" here: `body.ts` does, once it knows that it wants the body.
  server.on('checkContinue', take);

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });

  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    port,
    close(drainMs) {
      draining = true;
      for (const response of open.values()) hangUpAfter(response);
      return new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), drainMs);
        // Also closes connections that are idle now; busy ones follow when their answer has ended.
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
      });
    },
  };
}

/** Without this a client could keep its connection, and our drain, alive with one request after the other. */
function hangUpAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

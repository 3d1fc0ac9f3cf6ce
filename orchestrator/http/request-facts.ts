import type { Facts } from '../kernel/index.ts';
import { statusOf } from './error-map.ts';
import type { Exchange, RequestState } from './request-state.ts';

/** States one fact per request when its answer has ended, also for answers that the client did not wait for. */
export function stateWhenEnded(
  facts: Facts,
  { req: { method = '' }, res: response }: Exchange,
  state: RequestState,
): void {
  const startedAt = performance.now();
  response.on('close', () => {
    const status = response.headersSent ? response.statusCode : statusOf('cancelled');
    const durationMs = performance.now() - startedAt;
    facts.state({ type: 'http.request', method, route: state.route ?? 'unmatched', status, durationMs });
  });
}

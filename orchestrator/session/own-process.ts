import type { ServerSpec } from '../kernel/index.ts';
import type { Replica, Router } from '../routing/index.ts';
import type { Backend } from './backend.ts';

/**
 * Sharing `session`: a replica of the session's own. The client's initialize reaches the process as it is, so
 * its capabilities decide what the server offers; one that was greeted with the very same in advance answers from what
 * it said then. Messages without correlation have only one possible addressee.
 */
export async function ownProcess(
  router: Router,
  spec: ServerSpec,
  principal: string,
  hello: Readonly<Record<string, unknown>>,
): Promise<Backend> {
  const replica: Replica = await router.openForSession(spec.name, principal, hello);
  const { readyMs } = spec.timeouts;
  return {
    takeover: replica.channel.kind === 'socket' ? 'own' : null,
    keep: () => router.lasting.keep(replica),
    replica: replica.identity.id,
    over: replica.over,
    initialize: (params, signal) =>
      replica.initialize(params, { callTimeoutMs: readyMs, maxCallMs: readyMs, signal, announce: false }),
    call: (method, params, options) =>
      replica.call(method, params, { ...spec.timeouts, ...options, takesUnattributed: true }),
    notify: (method, params) => replica.notify(method, params),
    respond: (id, answer) => replica.respond(id, answer),
    listen: (listener) => replica.listen(listener),
    close: (why) => void router.release(replica, why),
  };
}

import type { Clock, ServerSpec } from '../kernel/index.ts';
import type { CallOptions, Handshake, Replica, Router } from '../routing/index.ts';
import type { Backend, ResumeOptions } from './backend.ts';
import { backendFor } from './backends.ts';
import { lostWithRestart } from './endings.ts';
import type { SessionRecord } from './session-book.ts';
import { sharedProcess } from './shared-process.ts';

/** A restored session has been greeted: nobody asks for this again. */
const GREETED: Handshake = {
  era: 'legacy',
  protocolVersion: '',
  capabilities: {},
  serverInfo: {},
  instructions: null,
};

/**
 * What stands behind a session that an earlier start of the orchestrator had.
 * @returns null where the server hands out its replicas in another way by now
 */
export function restoredBackend(
  router: Router,
  clock: Clock,
  spec: ServerSpec,
  { kind, replica, principal, hello }: SessionRecord,
): Backend | null {
  if ((kind === 'own') !== (spec.sharing === 'session')) return null;
  if (replica !== null) return ownAgain(router, clock, spec, replica);
  if (kind === 'translated') return translatedAgain(router, clock, spec, principal, hello ?? {});
  return {
    ...sharedProcess(router, spec, principal, GREETED),
    async resume(call, options) {
      const found = await router.lasting.adopted(spec.name, call.sent.replica);
      if (found === null) throw lostWithRestart(spec.name);
      return await found.lasting.resume(call, limitsOf(spec, clock, options));
    },
  };
}

/** The process of its own, which has lived on: calls wait until it is found. */
function ownAgain(router: Router, clock: Clock, spec: ServerSpec, id: string): Backend {
  const found = router.lasting.adopted(spec.name, id);
  const serving = found.then(async (replica): Promise<Replica> => {
    if (replica !== null && (await replica.lasting.served)) return replica;
    throw lostWithRestart(spec.name);
  });
  return {
    takeover: 'own',
    replica: id,
    over: serving.then(
      (replica) => replica.over,
      () => {
        // It was not found: the session is over.
      },
    ),
    initialize: async () => Promise.reject(lostWithRestart(spec.name)),
    call: async (method, params, options) =>
      (await serving).call(method, params, { ...spec.timeouts, ...options, takesUnattributed: true }),
    async resume(call, options) {
      const replica = await found;
      if (replica === null) throw lostWithRestart(spec.name);
      return await replica.lasting.resume(call, {
        ...limitsOf(spec, clock, options),
        takesUnattributed: true,
      });
    },
    notify: async (method, params) => (await serving).notify(method, params),
    respond: async (question, answer) => (await serving).respond(question, answer),
    listen: (listener) => void found.then((replica) => replica?.listen(listener)),
    close: (why) =>
      void found.then((replica) => (replica === null ? undefined : router.release(replica, why))),
  };
}

/** A translation keeps no more than how its client described itself: it is made again when it is needed first. */
function translatedAgain(
  router: Router,
  clock: Clock,
  spec: ServerSpec,
  principal: string,
  hello: Readonly<Record<string, unknown>>,
): Backend {
  let made: Promise<Backend> | null = null;
  let tell: Parameters<Backend['listen']>[0] = () => {};
  const make = async (): Promise<Backend> => {
    const backend = await backendFor(router, clock, spec, principal, hello);
    backend.listen((message) => tell(message));
    await backend.initialize(hello, new AbortController().signal);
    return backend;
  };
  const backend = async (): Promise<Backend> => {
    made ??= make();
    try {
      return await made;
    } catch (error) {
      made = null; // no replica yet: the next call tries again
      throw error;
    }
  };
  return {
    takeover: 'translated',
    replica: null,
    over: new Promise(() => {}),
    initialize: async (params, signal) => (await backend()).initialize(params, signal),
    call: async (method, params, options) => (await backend()).call(method, params, options),
    notify: async (method, params) => (await backend()).notify(method, params),
    respond: async (id, answer) => (await backend()).respond(id, answer),
    listen: (listener) => {
      tell = listener;
    },
    close: (why) => void made?.then((one) => one.close(why)),
  };
}

/** The silence is counted anew, the whole from its beginning. */
function limitsOf({ timeouts }: ServerSpec, clock: Clock, options: ResumeOptions): CallOptions {
  const { startedAt, ...rest } = options;
  return { ...timeouts, ...rest, maxCallMs: Math.max(1, timeouts.maxCallMs - (clock.now() - startedAt)) };
}

import type { Clock, ServerSpec } from '../kernel/index.ts';
import type { CallOptions, Handshake, Replica, Router } from '../routing/index.ts';
import type { Backend, BackendCallOptions, ResumeOptions } from './backend.ts';
import { backendFor } from './backends.ts';
import { lostWithRestart } from './endings.ts';
import type { SessionRecord } from './session-book.ts';
import { sharedProcess } from './shared-process.ts';
import { type Patience, untilFound } from './until-found.ts';

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
      const adopted = router.lasting.adopted(spec.name, call.sent.replica);
      const found = await untilFound(adopted, sentBefore(spec, clock, options));
      if (found === null) throw lostWithRestart(spec.name);
      return await found.lasting.resume(call, limitsOf(spec, clock, options));
    },
  };
}

/** The process of its own, which has lived on: calls wait until it is found, as long as for an answer. */
function ownAgain(router: Router, clock: Clock, spec: ServerSpec, id: string): Backend {
  const found = router.lasting.adopted(spec.name, id);
  let here: Replica | null = null;
  const serving = found.then(async (replica): Promise<Replica> => {
    if (replica === null || !(await replica.lasting.served)) throw lostWithRestart(spec.name);
    here = replica;
    return replica;
  });
  const { callTimeoutMs, maxCallMs } = spec.timeouts;
  const patience = { server: spec.name, clock, limitMs: Math.min(callTimeoutMs, maxCallMs), wasSent: false };
  const reached = async (of: Pick<Patience, 'signal'> = {}): Promise<Replica> =>
    here ?? (await untilFound(serving, { ...patience, ...of }));
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
    async call(method, params, options) {
      const startedAt = clock.now();
      const replica = await reached({ signal: options.signal });
      const limits = limitsOf(spec, clock, { ...options, startedAt });
      return await replica.call(method, params, { ...limits, takesUnattributed: true });
    },
    async resume(call, options) {
      const replica = await untilFound(found, sentBefore(spec, clock, options));
      if (replica === null) throw lostWithRestart(spec.name);
      return await replica.lasting.resume(call, {
        ...limitsOf(spec, clock, options),
        takesUnattributed: true,
      });
    },
    notify: async (method, params) => (await reached()).notify(method, params),
    respond: async (question, answer) => (await reached()).respond(question, answer),
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
function limitsOf(
  { timeouts }: ServerSpec,
  clock: Clock,
  { startedAt, ...rest }: BackendCallOptions & { readonly startedAt: number },
): CallOptions {
  return { ...timeouts, ...rest, maxCallMs: Math.max(1, timeouts.maxCallMs - (clock.now() - startedAt)) };
}

/** How long a call that an earlier start sent waits for its process: what it has left of its time. */
function sentBefore(spec: ServerSpec, clock: Clock, options: ResumeOptions): Patience {
  const { maxCallMs: limitMs } = limitsOf(spec, clock, options);
  return { server: spec.name, clock, limitMs, signal: options.signal, wasSent: true };
}

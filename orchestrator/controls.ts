import type { ServerList } from './config/index.ts';
import type { Engine } from './engine/index.ts';
import type { HttpOptions } from './http/index.ts';
import { messageOf, type ServerView, systemClock } from './kernel/index.ts';
import type { Mesh, MeshServerView } from './lifecycle/index.ts';
import type { Intents, ServerStore } from './registry/index.ts';
import type { Router } from './routing/index.ts';
import type { Aggregates, Sessions, Tools } from './session/index.ts';

export type ControlRooms = {
  readonly mesh: Mesh;
  readonly list: ServerList;
  readonly sessions: Sessions;
  readonly aggregates: Aggregates;
  readonly router: Router;
  readonly tools: Tools;
  readonly engine: Engine;
  readonly store: ServerStore;
  readonly intents: Intents;
};

/** The functions that routes call, put together from the rooms that have them. */
export function controls(
  rooms: ControlRooms,
): Pick<HttpOptions, 'servers' | 'containers' | 'tools' | 'health'> {
  const { mesh, list, sessions, aggregates, router, tools, engine, store, intents } = rooms;
  const seen = (view: MeshServerView): ServerView => ({
    ...view,
    // A session on a shared process holds no replica, so only `sessions` can count it.
    sessions: sessions.count(view.name) + aggregates.sessionsOn(view.name),
    callsQueued: router.queued(view.name),
  });
  return {
    servers: {
      list: () => mesh.list().map(seen),
      get: (name) => seen(mesh.get(name)),
      create: async (body) => (await list.create(body)).map((name) => seen(mesh.get(name))),
      async patch(name, body) {
        await list.patch(name, body);
        return seen(mesh.get(name));
      },
      remove: (name) => list.remove(name),
      // Written down first: what was confirmed must outlive a restart.
      async start(name) {
        mesh.get(name);
        await intents.start(name);
        return seen(mesh.start(name));
      },
      async stop(name) {
        mesh.get(name);
        await intents.stop(name);
        return seen(mesh.stop(name));
      },
      async restart(name) {
        if (intents.stopped(name)) await intents.start(name);
        return seen(mesh.restart(name));
      },
      async scale(name, replicas) {
        mesh.checkScale(name, replicas);
        await intents.scale(name, replicas, mesh.spec(name)?.replicas ?? replicas);
        return seen(mesh.scale(name, replicas));
      },
      replicas: (name) => mesh.replicas(name),
      config: () => list.config,
      reload: () => list.reload(),
    },
    containers: mesh.containers,
    tools: {
      known: (name) => mesh.tools(name),
      list: (server, principal, signal) => tools.list(server, principal, signal),
      call: (server, tool, args, principal, signal) => tools.call(server, tool, args, principal, signal),
    },
    health: {
      async check() {
        const [engineSays, redis] = await Promise.all([healthOf(engine.ping()), healthOf(store.ping())]);
        return { engine: engineSays, redis };
      },
    },
  };
}

/** Whoever probes wants an answer now: silence is one. */
const HEALTH_TIMEOUT_MS = 2000;

async function healthOf(ping: Promise<void>): Promise<string> {
  const { promise: silence, resolve } = Promise.withResolvers<'silent'>();
  const cancel = systemClock.after(HEALTH_TIMEOUT_MS, () => resolve('silent'));
  try {
    if ((await Promise.race([ping, silence])) === 'silent') return `no answer within ${HEALTH_TIMEOUT_MS} ms`;
    return 'ok';
  } catch (error) {
    return messageOf(error);
  } finally {
    cancel();
  }
}

import type { ServerList } from './config/index.ts';
import type { DisabledServers } from './disabled-servers.ts';
import type { Engine } from './engine/index.ts';
import type { HttpOptions } from './http/index.ts';
import { messageOf, type ServerView, systemClock } from './kernel/index.ts';
import type { Mesh, MeshServerView } from './lifecycle/index.ts';
import type { Intents, ServerStore } from './registry/index.ts';
import type { Router } from './routing/index.ts';
import type { Aggregates, Sessions, Tools } from './session/index.ts';

export type ControlRooms = {
  readonly mesh: Mesh;
  readonly disabled: DisabledServers;
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
  const { mesh, disabled, list, sessions, aggregates, router, tools, engine, store, intents } = rooms;
  const seen = (view: MeshServerView): ServerView => ({
    ...view,
    // A session on a shared process holds no replica, so only `sessions` can count it.
    sessions: sessions.count(view.name) + aggregates.sessionsOn(view.name),
    callsQueued: router.queued(view.name),
  });
  /** One that has just been disabled is seen as it is until its containers are gone. */
  const off = (name: string): MeshServerView | null =>
    mesh.spec(name) === null ? disabled.view(name) : null;
  const get = (name: string): ServerView => seen(off(name) ?? mesh.get(name));
  /** Before anything is asked of it, and written down. */
  const check = (name: string): void => {
    disabled.refuse(name);
    mesh.get(name);
  };
  return {
    servers: {
      list: () => {
        const others = disabled.names.filter((name) => mesh.spec(name) === null);
        return [...mesh.list().map(seen), ...others.map(get)];
      },
      get,
      create: async (body) => (await list.create(body)).map(get),
      async patch(name, body) {
        await list.patch(name, body);
        return get(name);
      },
      remove: (name) => list.remove(name),
      // Written down first: what was confirmed must outlive a restart.
      async start(name) {
        check(name);
        await intents.start(name);
        return seen(mesh.start(name));
      },
      async stop(name) {
        check(name);
        await intents.stop(name);
        return seen(mesh.stop(name));
      },
      async restart(name) {
        check(name);
        if (intents.stopped(name)) await intents.start(name);
        return seen(mesh.restart(name));
      },
      async scale(name, replicas) {
        disabled.refuse(name);
        mesh.checkScale(name, replicas);
        await intents.scale(name, replicas, mesh.spec(name)?.replicas ?? replicas);
        return seen(mesh.scale(name, replicas));
      },
      replicas: (name) => (off(name) === null ? mesh.replicas(name) : []),
      config: () => list.config,
      reload: () => list.reload(),
    },
    containers: mesh.containers,
    tools: {
      known: (name) => (off(name) === null ? mesh.tools(name) : []),
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

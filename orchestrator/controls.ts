import type { ServerList } from './config/index.ts';
import type { Engine } from './engine/index.ts';
import type { HttpOptions } from './http/index.ts';
import { messageOf, type ServerView } from './kernel/index.ts';
import type { Mesh, MeshServerView } from './lifecycle/index.ts';
import type { ServerStore } from './registry/index.ts';
import type { Sessions, Tools } from './session/index.ts';

export type ControlRooms = {
  readonly mesh: Mesh;
  readonly list: ServerList;
  readonly sessions: Sessions;
  readonly tools: Tools;
  readonly engine: Engine;
  readonly store: ServerStore;
};

/** The functions that routes call, put together from the rooms that have them. */
export function controls(
  rooms: ControlRooms,
): Pick<HttpOptions, 'servers' | 'containers' | 'tools' | 'health'> {
  const { mesh, list, sessions, tools, engine, store } = rooms;
  // A session on a shared process holds no replica, so only `sessions` can count it.
  const seen = (view: MeshServerView): ServerView => ({ ...view, sessions: sessions.count(view.name) });
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
      start: async (name) => seen(mesh.start(name)),
      stop: async (name) => seen(mesh.stop(name)),
      restart: async (name) => seen(mesh.restart(name)),
      scale: async (name, replicas) => seen(mesh.scale(name, replicas)),
      replicas: (name) => mesh.replicas(name),
      reload: () => list.reload(),
    },
    containers: mesh.containers,
    tools: {
      known: (name) => mesh.tools(name),
      list: (server, principal) => tools.list(server, principal),
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

async function healthOf(ping: Promise<void>): Promise<string> {
  try {
    await ping;
    return 'ok';
  } catch (error) {
    return messageOf(error);
  }
}

import type { ServerList } from './config/index.ts';
import { type Facts, systemClock } from './kernel/index.ts';
import type { Mesh } from './lifecycle/index.ts';
import type { Remembered } from './remembered.ts';
import type { Router } from './routing/index.ts';
import {
  Aggregates,
  type Catalogue,
  type EncodeError,
  Endpoints,
  type EventLog,
  type SessionBook,
  Sessions,
  SseSessions,
  StatelessAggregates,
  StatelessCalls,
} from './session/index.ts';

export type ClientRooms = {
  readonly mesh: Mesh;
  readonly remembered: Remembered;
  readonly router: Router;
  readonly facts: Facts;
  readonly list: ServerList;
  readonly events: EventLog;
  /** Remembers sessions for the next start; null where nobody does. */
  readonly book: SessionBook | null;
  readonly encodeError: EncodeError;
};

/** All that clients of MCP meet: sessions and requests without, on servers and on sets of them. */
export function startClients(rooms: ClientRooms) {
  const { mesh, remembered, router, facts, list, events: log, book, encodeError } = rooms;
  const clock = systemClock;
  const catalogue = catalogueOf(mesh, remembered);
  const aggregates = new Aggregates({ router, facts, catalogue, sets: () => list.sets });
  const endpoints = new Endpoints({ router, clock, aggregates });
  const sessions = new Sessions({ endpoints, clock, facts, encodeError, log, book });
  const sseSessions = new SseSessions({ sessions, clock, encodeError });
  const calls = new StatelessCalls({ router, clock, facts, encodeError });
  const stateless = new StatelessAggregates({ aggregates, calls, encodeError });
  return {
    aggregates,
    sessions,
    sseSessions,
    stateless,
    /** @throws GantryError server_not_found */
    checkServer: (name: string): void => endpoints.check(name),
    /** Whether somebody wants to hear of a server beside their calls. */
    isListening: (server: string): boolean => sessions.isListening(server) || calls.isListening(server),
    drain(): void {
      sessions.drain();
      stateless.drain();
      calls.drain();
    },
    close(): void {
      sessions.close();
      sseSessions.close();
      calls.close();
      aggregates.close();
    },
  };
}

/** Of a server that was put to rest: a call wakes it, whichever step of the ladder it is on. */
const ASLEEP = { state: 'paused', reason: null } as const;

/** What is known of servers without asking them: by the mesh now, and by earlier starts. */
function catalogueOf(mesh: Mesh, { learned }: Remembered): Catalogue {
  return {
    names: () => mesh.names,
    state: (server) => (mesh.asleep(server) === null ? mesh.known(server) : ASLEEP),
    offers: (server) => mesh.known(server).offers,
    learned: (server, audience) => learned.get(server, audience, mesh.fingerprint(server)),
    learn: (server, audience, offers) => learned.put(server, audience, mesh.fingerprint(server), offers),
  };
}

import { createHmac } from 'node:crypto';
import { keptToken } from './admin-token.ts';
import type { Environment } from './environment.ts';
import { messageOf, systemClock } from './kernel/index.ts';
import type { ReplicaBook, TakeoverOptions } from './lifecycle/index.ts';
import { type Json, Ledger } from './registry/index.ts';
import type { Stores } from './registry-start.ts';
import type { Left, SessionBook } from './session/index.ts';

/** Beside a mesh that starts as a whole, its registry may come up a little later. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 100;

export type Takeover = {
  /** For the mesh; null where nothing outlives this process. */
  readonly replicas: TakeoverOptions | null;
  /** For the sessions; null likewise. */
  readonly book: SessionBook | null;
  readonly sessions: Left;
  readonly close: () => Promise<void>;
};

const NOTHING: Takeover = {
  replicas: null,
  book: null,
  sessions: { sessions: new Map(), notes: new Map() },
  close: async () => {},
};

/**
 * What an earlier start of the orchestrator left, as it is written in the registry, and where this one writes what it
 * leaves. A registry that does not answer in time means to begin from nothing.
 */
export async function openTakeover(
  { redis, stateDir }: Environment,
  stores: Stores,
  onTrouble: (message: string) => void,
): Promise<Takeover> {
  if (redis === null) return NOTHING;
  const ledger = (kind: 'takeover_replicas' | 'takeover_sessions'): Ledger =>
    new Ledger({ store: stores.mesh, kind, clock: systemClock, onTrouble });
  const replicas: Ledger & ReplicaBook = ledger('takeover_replicas');
  const book: Ledger & SessionBook = ledger('takeover_sessions');
  const read = await readLeft(stores, onTrouble);
  const { token } = await keptToken(stateDir, 'channel-key');
  // Not the key itself: that one makes the secrets of channels.
  const key = createHmac('sha256', Buffer.from(token, 'base64url')).update('containers').digest();
  return {
    replicas: { book: replicas, left: read.replicas, log: stores.events, notes: read.notes, key },
    book,
    sessions: { sessions: read.sessions, notes: read.notes },
    close: async () => {
      await replicas.close();
      await book.close();
    },
  };
}

async function readLeft({ mesh, events }: Stores, onTrouble: (message: string) => void) {
  const until = systemClock.now() + PATIENCE_MS;
  for (;;) {
    try {
      return {
        replicas: await mesh.kept('takeover_replicas'),
        sessions: await mesh.kept('takeover_sessions'),
        notes: await events.notes(),
      };
    } catch (error) {
      if (systemClock.now() >= until) {
        onTrouble(`Sessions and replicas of the last start are not taken over: ${messageOf(error)}`);
        const nothing: ReadonlyMap<string, Json> = new Map();
        return { replicas: nothing, sessions: nothing, notes: nothing };
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

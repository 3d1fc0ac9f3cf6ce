import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from './gateway.ts';
import { closedLoop, type LoadResult } from './load/closed-loop.ts';
import { Connection } from './load/connection.ts';
import { type Endpoint, HttpSession } from './load/http-session.ts';
import { rounded } from './quantiles.ts';
import { availableBytes } from './sides/process-tree.ts';
import type { Side } from './sides/side.ts';
import { ECHO } from './work.ts';

const KIB = 1024;
/** Enough to keep the orchestrator busy while sessions are opened and used. */
const CONNECTIONS = 64;
const SETTLE_MS = 3000;
/** Peers have a process for each session: the machine must not go down with them. */
const LEAST_AVAILABLE_BYTES = 4 * 1024 ** 3;

export type SessionsCost = {
  readonly sessions: number;
  readonly openedPerSecond: number;
  /** Resident memory of the orchestrator for each, and the same of its heap, in KiB. */
  readonly residentKib: number;
  readonly heapKib: number;
  readonly heldMs: number;
  /** What resident memory grew while nobody asked anything, in KiB of the whole process. */
  readonly grewKib: number;
  /** Calls over all of them in turns, 64 in flight. */
  readonly active: LoadResult;
};

/** Sessions of a shared server: all of them idle, then all of them used. */
export async function measureSessionsCost(
  gateway: Gateway,
  endpoint: Endpoint,
  options: { readonly sessions: number; readonly holdMs: number; readonly measureMs: number },
): Promise<SessionsCost> {
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(endpoint.url));
  const sessions: HttpSession[] = [];
  try {
    const before = await memoryOf(gateway);
    const beganAt = performance.now();
    const opener = async (connection: Connection): Promise<void> => {
      while (sessions.length < options.sessions) {
        const place = sessions.push(null as never) - 1; // so that no two open the last one
        sessions[place] = await HttpSession.open(endpoint, [connection]);
      }
    };
    await Promise.all(connections.map(opener));
    const seconds = (performance.now() - beganAt) / 1000;
    const open = await memoryOf(gateway);
    await sleep(options.holdMs);
    const held = await memoryOf(gateway);
    let next = 0;
    const callers = connections.map((connection) => async () => {
      await sessions[next++ % sessions.length]?.call(connection, ECHO);
    });
    const active = await closedLoop(callers, { warmMs: 500, measureMs: options.measureMs });
    return {
      sessions: sessions.length,
      openedPerSecond: rounded(sessions.length / seconds),
      residentKib: rounded((open.residentBytes - before.residentBytes) / sessions.length / KIB),
      heapKib: rounded((open.heapBytes - before.heapBytes) / sessions.length / KIB),
      heldMs: options.holdMs,
      grewKib: rounded((held.residentBytes - open.residentBytes) / KIB),
      active,
    };
  } finally {
    const ending = async (_: Connection, index: number): Promise<void> => {
      for (let at = index; at < sessions.length; at += CONNECTIONS) await sessions[at]?.end();
    };
    await Promise.allSettled(connections.map(ending));
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

export type PeerSessions = {
  readonly side: string;
  readonly sessions: number;
  readonly perSessionKib: number;
  /** Why it were no more. */
  readonly stoppedBy: string;
};

/** As many sessions as a peer opens, up to a number; those that keep a process for each do not get far. */
export async function measurePeerSessions(side: Side, most: number): Promise<PeerSessions> {
  const sessions: { close(): Promise<void> }[] = [];
  const before = side.residentBytes() ?? 0;
  let stoppedBy = 'as many as were asked for';
  try {
    while (sessions.length < most) {
      if (availableBytes() < LEAST_AVAILABLE_BYTES) {
        stoppedBy = 'less than 4 GiB of the machine were left';
        break;
      }
      sessions.push(await side.open(1));
    }
  } catch (error) {
    stoppedBy = error instanceof Error ? error.message : String(error);
  }
  await sleep(SETTLE_MS);
  const grew = (side.residentBytes() ?? 0) - before;
  await Promise.allSettled(sessions.map((session) => session.close()));
  return {
    side: side.name,
    sessions: sessions.length,
    perSessionKib: rounded(grew / Math.max(1, sessions.length) / KIB),
    stoppedBy,
  };
}

/** After a while in which nothing was asked. */
async function memoryOf(gateway: Gateway): Promise<{ residentBytes: number; heapBytes: number }> {
  await sleep(SETTLE_MS);
  return {
    residentBytes: await gateway.metric('gantry_process_resident_memory_bytes'),
    heapBytes: await gateway.metric('gantry_nodejs_heap_size_used_bytes'),
  };
}

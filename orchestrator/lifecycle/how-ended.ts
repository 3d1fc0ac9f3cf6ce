import { constants } from 'node:os';
import type { Clock } from '../kernel/index.ts';
import type { ChannelEnd } from '../replica/index.ts';
import type { Found } from './exit-reason.ts';
import type { ReplicaHost } from './replica-host.ts';
import { settledWithin } from './waits.ts';

/** Between the end of the output and the die event. Less than callers wait for a diagnosis (replica.ts). */
const DIE_MS = 1500;

export type Ended = {
  readonly engine: ReplicaHost;
  readonly clock: Clock;
  readonly containerId: string;
  /** Null where the container went down first. */
  readonly channelEnd: ChannelEnd | null;
  /** Settles when somebody says that the container is down. */
  readonly down: Promise<null>;
  /** Nobody has asked it to end. */
  readonly isServing: boolean;
  /** We ended it: its end needs no proof. */
  readonly isGivenUp: () => boolean;
};

/**
 * Finds out how a process ended, and ends it where it only closed its output. A channel that was told is believed at
 * once where the engine cannot know better.
 * @returns null where it runs on and is heard: nothing has ended. @throws EngineError, GantryError engine_unavailable
 */
export async function howEnded(ended: Ended): Promise<Found | null> {
  const { engine, clock, containerId, channelEnd, down, isServing, isGivenUp } = ended;
  // One that was asked to end may be started again: there the container has to be down, which the engine says.
  if (isServing && channelEnd?.why === 'ended' && !mayBeOom(channelEnd)) return told(channelEnd, clock);
  const isPatient = channelEnd?.why === 'ended' || channelEnd?.why === 'transport';
  if (isPatient) await settledWithin(clock, DIE_MS, down);
  const now = await engine.inspect(containerId);
  if (now === null) return { what: 'gone' };
  if (now.exit !== null) return { what: 'exit', exit: now.exit };
  // Never started, or removed in a moment by whoever destroyed the channel.
  if (now.state === 'created' || channelEnd?.why === 'destroyed') return { what: 'unknown' };
  if (channelEnd === null && !isGivenUp()) return null;
  await engine.kill(containerId);
  const exit = (await engine.inspect(containerId))?.exit ?? null;
  return told(channelEnd, clock) ?? { what: 'cut', exit };
}

/** What the channel was told about the exit, in the engine's words: those of shells, 128 and the signal. */
export function told(end: ChannelEnd | null, clock: Clock): Found | null {
  if (end?.why !== 'ended' || end.exit === undefined) return null;
  const { code, signal } = end.exit;
  const at = new Date(clock.now()).toISOString();
  if (signal === null) return { what: 'exit', exit: { reason: 'exited', code, signal: null, at } };
  const [name = null] = Object.entries(constants.signals).find(([, number]) => number === signal) ?? [];
  return { what: 'exit', exit: { reason: 'signal', code: 128 + signal, signal: name, at } };
}

/** Only the engine knows whether memory ran out, and a failed exit may be the consequence of that. */
function mayBeOom({ exit }: Extract<ChannelEnd, { why: 'ended' }>): boolean {
  return exit === undefined || exit.code !== 0 || exit.signal === constants.signals.SIGKILL;
}

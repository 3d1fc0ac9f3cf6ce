import { type Clock, type Reason, reason } from '../kernel/index.ts';
import type { CallBreaker } from '../replica/index.ts';
import type { Candidate } from './candidate.ts';
import type { EngineWatch } from './engine-watch.ts';
import type { ReplicaRecord } from './replica-record.ts';
import type { Running } from './running.ts';
import type { Takeover } from './takeover.ts';
import { settledWithin } from './waits.ts';

/** A process that was left looks for its next owner four times a second. */
const RECONNECT_MS = 10_000;

/**
 * Waits until a process that an earlier start of the orchestrator left has found its way here. It was greeted then, so it
 * serves at once.
 * @returns null, or why it does not. Never rejects.
 */
export async function reconnect(
  running: Running,
  { handshake }: ReplicaRecord,
  clock: Clock,
): Promise<Reason | null> {
  const { replica } = running;
  const settled = Promise.race([replica.lasting.connected, replica.closed]).catch(() => {
    // The channel is over: how it ended is asked below.
  });
  if (!(await settledWithin(clock, RECONNECT_MS, settled))) {
    const text = `The process that an earlier start of the orchestrator left did not connect again within ${RECONNECT_MS} ms.`;
    return reason('unresponsive', text, { stderr: running.stderr });
  }
  if (!replica.isOpen) {
    const { reason: why } = await running.ended;
    return why ?? reason('stopped', 'The container was stopped.');
  }
  replica.lasting.takenOver(handshake);
  return null;
}

/**
 * Goes on with a container for whoever asked for it (`Takeover.adopted`). Never rejects: where that fails it is removed.
 * @param hold has it from the turn on in which those who asked are told
 */
export async function goOnWith(
  candidate: Candidate,
  breaker: CallBreaker,
  hold: (running: Running) => void,
  { takeover, engineWatch, clock }: GoOnParts,
): Promise<void> {
  try {
    const running = await takeover.reopen(candidate, breaker);
    hold(running);
    takeover.found(candidate.record.id, running.replica);
    const why = await reconnect(running, candidate.record, clock);
    if (why !== null) await running.discard(why);
  } catch (error) {
    engineWatch.report(error);
    await takeover.discard(candidate);
  }
}

type GoOnParts = {
  readonly takeover: Pick<Takeover, 'reopen' | 'found' | 'discard'>;
  readonly engineWatch: Pick<EngineWatch, 'report'>;
  readonly clock: Clock;
};

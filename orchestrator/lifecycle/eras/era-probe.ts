import {
  type Clock,
  type Era,
  type EraVerdict,
  GantryError,
  UNSUPPORTED_VERSION,
} from '../../kernel/index.ts';
import type { Replica } from '../../replica/index.ts';

/** A running process that has not said anything is silent after so long: servers answer within their start. */
export const SILENCE_MS = 5000;

/** Runs `questions` on a fresh process and ends it afterwards. */
export type WithThrowaway = <T>(questions: (replica: Replica) => Promise<T>) => Promise<T>;

type Answer = 'yes' | 'no' | 'silent' | 'over';

/**
 * Asks fresh processes which eras their program speaks, because some exit at a question they do not know, and some
 * stay in the era of their first message.
 * @returns null where it speaks neither: nothing was learnt, for a program that cannot start says the same.
 * @throws what `withThrowaway` throws
 */
export async function probeEra(options: {
  readonly withThrowaway: WithThrowaway;
  readonly clock: Clock;
  readonly readyMs: number;
}): Promise<EraVerdict | null> {
  const { withThrowaway, clock, readyMs } = options;
  const quietMs = Math.min(SILENCE_MS, readyMs);
  const first = await withThrowaway((replica) => bothQuestions(replica, quietMs));
  if (first.legacy === 'yes') return verdictOf(first);
  // Another process: the first may be over, or stay in the era that it was asked for.
  const isModern = first.modern === 'yes';
  const second = await withThrowaway(async (replica) => {
    const startedAt = clock.now();
    const legacy = await ask(replica, 'legacy', isModern ? quietMs : readyMs);
    const tookMs = clock.now() - startedAt;
    const mixed = isModern && legacy === 'yes' && (await ask(replica, 'modern', quietMs)) === 'yes';
    return { legacy, mixed, tookMs };
  });
  if (second.legacy !== 'yes') return isModern ? { era: 'modern', mixed: false } : null;
  if (isModern) return { era: 'both', mixed: second.mixed };
  if (first.modern !== 'silent' || second.tookMs < quietMs / 2) return { era: 'legacy', mixed: false };
  // It was not silent, it was still starting: asked once more with patience.
  const patientMs = Math.min(2 * second.tookMs + SILENCE_MS, readyMs);
  return verdictOf(
    await withThrowaway(async (replica) => {
      const modern = await ask(replica, 'modern', patientMs);
      return { modern, legacy: 'yes', mixed: false };
    }),
  );
}

async function bothQuestions(
  replica: Replica,
  quietMs: number,
): Promise<{ modern: Answer; legacy: Answer; mixed: boolean }> {
  const modern = await ask(replica, 'modern', quietMs);
  if (modern === 'over' || modern === 'silent') return { modern, legacy: modern, mixed: false };
  const legacy = await ask(replica, 'legacy', quietMs);
  const isBoth = modern === 'yes' && legacy === 'yes';
  return { modern, legacy, mixed: isBoth && (await ask(replica, 'modern', quietMs)) === 'yes' };
}

function verdictOf({ modern, mixed }: { modern: Answer; mixed: boolean }): EraVerdict {
  return modern === 'yes' ? { era: 'both', mixed } : { era: 'legacy', mixed: false };
}

async function ask(replica: Replica, era: Era, patienceMs: number): Promise<Answer> {
  try {
    const outcome = await replica.greetIn(era, patienceMs);
    if (outcome.ok) return 'yes';
    // It knows the question, and other revisions of the same era.
    return era === 'modern' && outcome.error.code === UNSUPPORTED_VERSION ? 'yes' : 'no';
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    if (error.code === 'call_timeout') return 'silent';
    if (error.code === 'replica_failed') return 'over';
    throw error;
  }
}

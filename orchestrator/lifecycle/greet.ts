import {
  type Clock,
  type Era,
  type EraVerdict,
  GantryError,
  type Reason,
  reason,
  type ServerSpec,
} from '../kernel/index.ts';
import type { Breaker } from '../resilience/index.ts';
import type { EraFinder } from './eras/era-finder.ts';
import { SILENCE_MS } from './eras/era-probe.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import type { Running } from './running.ts';
import { settledWithin } from './waits.ts';

export type GreetOptions = {
  readonly spec: ServerSpec;
  readonly image: PreparedImage;
  readonly eras: EraFinder;
  readonly clock: Clock;
};

/**
 * Greets a pool's replica in the era that its server speaks: ready means that the process has answered. One that
 * speaks both is greeted by `initialize`.
 * @returns null, or why it is not ready. Rejects only where the engine does.
 */
export async function greet(running: Running, options: GreetOptions): Promise<Reason | null> {
  const known = await options.eras.remembered(options.image);
  if (known === null) return await greetUnknown(running, options);
  const era = greetingFor(known);
  const why = await greetIn(era, running, options.spec);
  if (why?.code !== 'handshake_failed') return why;
  // It refuses what it was found to speak: something that the verdict does not depend on has changed.
  const found = await options.eras.again().catch(() => known);
  return greetingFor(found) === era ? why : await greetIn(greetingFor(found), running, options.spec);
}

function greetingFor({ era }: EraVerdict): Era {
  return era === 'modern' ? 'modern' : 'legacy';
}

/**
 * Most servers know `initialize`, and are ready with its answer; what else they speak is asked afterwards. Of one that
 * refuses it, is silent or exits, throwaway replicas tell whether it knows the other era only.
 */
async function greetUnknown(running: Running, { spec, eras, clock }: GreetOptions): Promise<Reason | null> {
  const greeting = greetIn('legacy', running, spec);
  if ((await settledWithin(clock, SILENCE_MS, greeting)) && (await greeting) === null) {
    eras.greeted();
    return null;
  }
  const found = eras.find().then(
    ({ era }) => era,
    () => null,
  );
  const first = await Promise.race([
    found,
    greeting.then((why) => (why === null ? ('legacy' as const) : found)),
  ]);
  return first === 'modern' ? await greetIn('modern', running, spec) : await greeting;
}

async function greetIn(era: Era, running: Running, spec: ServerSpec): Promise<Reason | null> {
  const { readyMs } = spec.timeouts;
  const question = era === 'legacy' ? 'initialize' : 'server/discover';
  try {
    const outcome = await running.replica.greetIn(era, readyMs);
    if (outcome.ok) return null;
    const text = `The server refused ${question}: ${outcome.error.message} (code ${outcome.error.code}).`;
    return reason('handshake_failed', text, { stderr: running.stderr });
  } catch (error) {
    if (error instanceof GantryError && error.code === 'call_timeout') {
      const text = `The server did not complete the MCP handshake within readyMs (${readyMs} ms). Its stderr may say why; a slow starter needs a larger timeouts.readyMs.`;
      return reason('never_ready', text, { stderr: running.stderr });
    }
    // Its process is over: how it ended says more than the failed call.
    return (await running.ended).reason;
  }
}

/**
 * Where a predecessor's breaker opened, the replacement has to answer before it gets calls: `rise` probes in a row.
 * @returns null, or why it failed. Never rejects.
 */
export async function prove(
  running: Running,
  breaker: Breaker,
  { health }: ServerSpec,
): Promise<Reason | null> {
  if (breaker.state === 'closed') return null;
  breaker.tryAgain();
  for (let passed = 0; passed < health.rise; passed++) {
    const answer = await running.replica.probe(health.timeoutMs);
    if (answer === 'answered') continue;
    breaker.record('failure');
    if (answer === 'over') return (await running.ended).reason;
    const text = `The replacement completed the handshake and then did not answer its first probe within health.timeoutMs (${health.timeoutMs} ms).`;
    return reason('unresponsive', text, { stderr: running.stderr });
  }
  breaker.record('success');
  return null;
}

/** Both, one after the other. @returns null, or why it is not ready. Rejects only where the engine does. */
export async function greetAndProve(
  running: Running,
  breaker: Breaker,
  options: GreetOptions,
): Promise<Reason | null> {
  return (await greet(running, options)) ?? (await prove(running, breaker, options.spec));
}

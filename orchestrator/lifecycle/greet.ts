import { GantryError, type Reason, reason, type ServerSpec, type ToolView } from '../kernel/index.ts';
import { listTools, type Replica } from '../replica/index.ts';
import type { Breaker } from '../resilience/index.ts';
import type { Running } from './running.ts';

/** One page of tools should be quick; a server that lists for longer serves all the same, its tools unknown. */
const LIST_TIMEOUT_MS = 10_000;

/**
 * Completes the MCP handshake of a pool's replica: ready means that the process has answered.
 * @returns null, or why it is not ready. Never rejects.
 */
export async function greet(running: Running, spec: ServerSpec): Promise<Reason | null> {
  const { readyMs } = spec.timeouts;
  try {
    const outcome = await running.replica.greet(readyMs);
    if (outcome.ok) return null;
    const text = `The server refused the MCP handshake: ${outcome.error.message} (code ${outcome.error.code}).`;
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

/**
 * The tools of a server that has just become ready; those of the first pages where the listing fails, none where
 * it offers none. Never rejects.
 */
export async function toolsOf(replica: Replica): Promise<readonly ToolView[]> {
  if (replica.handshake?.capabilities.tools === undefined) return [];
  try {
    return (await listTools(replica, { callTimeoutMs: LIST_TIMEOUT_MS, maxCallMs: LIST_TIMEOUT_MS })).tools;
  } catch {
    // They are for show. If the process died, whoever holds the replica hears of it.
    return [];
  }
}

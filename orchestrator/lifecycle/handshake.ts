import { GantryError, type Reason, reason, type ServerSpec } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import type { Running } from './running.ts';

/** One page of tools should be quick; a server that lists for longer is still ready, only uncounted. */
const LIST_TIMEOUT_MS = 10_000;
/** A server that pages for ever must not hold its own start. */
const MAX_PAGES = 50;

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

/** How many tools the server lists; 0 where it offers none or the listing fails. Never rejects. */
export async function countTools(replica: Replica): Promise<number> {
  if (replica.handshake?.capabilities.tools === undefined) return 0;
  let count = 0;
  let cursor: string | undefined;
  try {
    for (let page = 0; page < MAX_PAGES; page++) {
      const params = cursor === undefined ? undefined : { cursor };
      const options = { callTimeoutMs: LIST_TIMEOUT_MS, maxCallMs: LIST_TIMEOUT_MS };
      const outcome = await replica.call('tools/list', params, options);
      if (!outcome.ok) return count;
      const { tools, nextCursor } = outcome.result as { tools?: unknown; nextCursor?: unknown };
      if (Array.isArray(tools)) count += tools.length;
      if (typeof nextCursor !== 'string') return count;
      cursor = nextCursor;
    }
  } catch {
    // The number is for show. If the process died, whoever holds the replica hears of it.
  }
  return count;
}

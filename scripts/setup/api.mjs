import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './failure.mjs';

/** How long the orchestrator may take to answer that it is ready: it loads the bridge image into the engine first. */
const READY_TIMEOUT_MS = 300_000;
const POLL_MS = 500;

/**
 * @param {{url: string, token?: string}} stack
 * @returns {Promise<{status: number, body: any}>} status 0 when nobody answers
 */
export async function call({ url, token }, method, path) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    const answer = await fetch(url + path, { method, headers, signal: AbortSignal.timeout(60_000) });
    return { status: answer.status, body: await answer.json().catch(() => null) };
  } catch {
    // Refused, cut off or silent: for whoever polls these are the same.
    return { status: 0, body: null };
  }
}

/** Waits for `/readyz`. @throws SetupError with the log of the orchestrator when it does not come */
export async function waitUntilReady(stack, say) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const { status, body } = await call(stack, 'GET', '/readyz');
    if (status === 200) return;
    const waitingFor = Object.entries(body?.checks ?? {}).filter(
      ([, check]) => check !== 'ok' && check?.status !== 'ok',
    );
    say(
      status === 0
        ? 'no answer yet'
        : `waiting for ${waitingFor.map(([name]) => name).join(', ') || 'readiness'}`,
    );
    if (Date.now() > deadline) {
      throw new SetupError(
        `The orchestrator is not ready. The end of its log:\n${await stack.logs('orchestrator')}`,
      );
    }
    await sleep(POLL_MS);
  }
}

/**
 * Makes the orchestrator read gantry.yaml again and apply the difference.
 * @returns {Promise<string>} what changed, in words
 * @throws SetupError with every problem of the file; then nothing was changed
 */
export async function reload(stack) {
  const { status, body } = await call(stack, 'POST', '/api/v1/reload');
  if (status === 422) {
    const problems = (body?.error?.detail?.problems ?? []).map(
      ({ path, line, message }) => `gantry.yaml:${line} ${path}: ${message}`,
    );
    throw new SetupError(`${problems.join('\n') || body?.error?.message}\n\nNothing was changed.`);
  }
  if (status !== 200)
    throw new SetupError(`gantry.yaml could not be applied: ${body?.error?.message ?? `status ${status}`}`);
  const changes = ['added', 'changed', 'removed'].filter((kind) => body[kind]?.length > 0);
  return changes.map((kind) => `${kind} ${body[kind].join(', ')}`).join('; ') || 'nothing to change';
}

/** Polls until every server is ready or has failed. @param {(server: any) => void} onChange for each new state */
export async function waitForServers(stack, { say, onChange, timeoutMs = 1_200_000 }) {
  const deadline = Date.now() + timeoutMs;
  const seen = new Map();
  for (;;) {
    const { body } = await call(stack, 'GET', '/api/v1/servers');
    const servers = body?.servers ?? null;
    for (const server of servers ?? []) {
      if (seen.get(server.name) !== server.state) onChange(server);
      seen.set(server.name, server.state);
    }
    const unsettled = servers?.filter(({ state }) => state === 'starting' || state === 'pending');
    if (unsettled?.length === 0 || Date.now() > deadline) return servers ?? [];
    say(servers === null ? 'no answer yet' : `waiting for ${unsettled.map(({ name }) => name).join(', ')}`);
    await sleep(POLL_MS);
  }
}

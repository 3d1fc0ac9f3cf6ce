import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './failure.mjs';

/** How long the orchestrator may take to answer that it is ready: it loads the bridge image into the engine first. */
const READY_TIMEOUT_MS = 300_000;
const POLL_MS = 500;
/** A question that is asked again anyway. */
const POLL_TIMEOUT_MS = 5_000;
/** A change may wait for containers to end. */
const CHANGE_TIMEOUT_MS = 60_000;

/**
 * @param {{url: string, token?: string}} stack
 * @returns {Promise<{status: number, body: any}>} status 0 when nobody answers
 */
export async function call({ url, token }, method, path) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const timeoutMs = method === 'GET' ? POLL_TIMEOUT_MS : CHANGE_TIMEOUT_MS;
  try {
    return await ask(url + path, { method, headers, timeoutMs });
  } catch {
    // Refused, cut off or silent: for whoever polls these are the same.
    return { status: 0, body: null };
  }
}

/**
 * Not `fetch`: that of Node 20 never settles when the other side closes before the request is written, as the port of a
 * container that is just starting does, and the command then ended without a word. A connection each, for the same reason.
 */
function ask(url, { method, headers, timeoutMs }) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(text) }));
    });
    const timer = setTimeout(() => sent.destroy(new Error('no answer in time')), timeoutMs);
    sent.on('error', reject).on('close', () => {
      clearTimeout(timer);
      reject(new Error('cut off')); // settled already where the answer is whole
    });
    sent.end();
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
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
 * @returns {Promise<{text: string, settingsChanged: boolean}>} what changed, in words; and whether settings did, which only
 *   a start of the orchestrator reads
 * @throws SetupError with every problem of the file; then nothing was changed
 */
export async function reload(stack) {
  const { status, body } = await call(stack, 'POST', '/api/v1/reload');
  if (status === 422) {
    const problems = (body?.error?.detail?.problems ?? []).map(
      ({ file = 'gantry.yaml', path, line, message }) => `${file}:${line} ${path}: ${message}`,
    );
    throw new SetupError(`${problems.join('\n') || body?.error?.message}\n\nNothing was changed.`);
  }
  if (status !== 200)
    throw new SetupError(`gantry.yaml could not be applied: ${body?.error?.message ?? `status ${status}`}`);
  const kinds = ['added', 'changed', 'removed'].filter((kind) => body[kind]?.length > 0);
  const settingsChanged = body.settingsChanged === true;
  const changes = kinds.map((kind) => `${kind} ${body[kind].join(', ')}`);
  if (settingsChanged) changes.push('settings changed');
  return { text: changes.join('; ') || 'nothing to change', settingsChanged };
}

/**
 * Polls until every server has been seen ready or failed; not at the same moment, because one that failed is tried again
 * and again while others are still being installed.
 * @param {(server: any) => void} onChange for each new state
 * @returns {Promise<any[]>} the servers as they are now; one that failed and is being tried again as it failed
 */
export async function waitForServers(stack, { say, onChange, timeoutMs = 1_200_000, pollMs = POLL_MS }) {
  const deadline = Date.now() + timeoutMs;
  const seen = new Map();
  const settled = new Map();
  for (;;) {
    const { body } = await call(stack, 'GET', '/api/v1/servers');
    const servers = body?.servers ?? null;
    for (const server of servers ?? []) {
      if (seen.get(server.name) !== server.state) onChange(server);
      seen.set(server.name, server.state);
      if (!isOnItsWay(server)) settled.set(server.name, server);
    }
    const unsettled = servers?.filter(({ name }) => !settled.has(name));
    if (unsettled?.length === 0 || Date.now() > deadline)
      return (servers ?? []).map((server) => {
        const before = settled.get(server.name);
        return isOnItsWay(server) && before?.state === 'failed' ? before : server;
      });
    say(servers === null ? 'no answer yet' : `waiting for ${unsettled.map(({ name }) => name).join(', ')}`);
    await sleep(pollMs);
  }
}

/** One that waits for a server that has failed will not come by itself. */
function isOnItsWay({ state, reason }) {
  if (reason?.code === 'dependency_failed') return false;
  return state === 'starting' || state === 'pending';
}

import type { ExecutionContext } from 'ava';
import { type Json, type ToolResult, textOf } from '../e2e/harness.ts';
import { imageOf } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';
import { faultsOf, NO_FAULTS, summaryOf, type Verdict } from '../history/history.ts';
import { HostOrchestrator } from './host-orchestrator.ts';
import { IN_FLIGHT, Load } from './load.ts';

/** A call lasts two seconds: time to break something under it. */
export const TELLING = { steps: 2, ms: 1000, logs: 0, logsToGet: 0 };
/** Silence of a server for so long ends a call. */
export const CALL_TIMEOUT_MS = 5000;
/** No call may take longer than this to end, whatever breaks: its silence, and the diagnosis of a death. */
const EVERY_CALL_ENDS_WITHIN_MS = 40_000;

export const SERVER = 'chaos';

/** Gives up on a call long before its answer comes. */
export const LATE = 'late';
/** Works on one call at a time, and lets few wait. */
export const STORM = 'storm';

/** A shared server of four attached replicas, which writes what it executes on its volume and breaks as it is told. */
export async function sharedServer(): Promise<Json> {
  return {
    image: await imageOf('plain'),
    command: ['python3', '/opt/fixtures/chaos.py'],
    sharing: 'shared',
    data: '/data',
    replicas: 4,
    resources: { memory: '128MiB', cpus: 1, pids: 256 },
    timeouts: { callTimeoutMs: CALL_TIMEOUT_MS, drainMs: 10_000 },
    health: { intervalMs: 1000, timeoutMs: 2000, fall: 2 },
  };
}

/**
 * The mesh that all faults are done to.
 * @param more of `LATE` and `STORM`
 */
export async function startWorld(...more: readonly string[]): Promise<HostOrchestrator> {
  const shared = await sharedServer();
  const special: Readonly<Record<string, Json>> = {
    [LATE]: { ...shared, replicas: 1, timeouts: { callTimeoutMs: CALL_TIMEOUT_MS / 5, drainMs: 10_000 } },
    [STORM]: { ...shared, replicas: 1, balance: { maxInFlight: 1, queueSize: 10, queueTimeoutMs: 1000 } },
  };
  const others = Object.fromEntries(Object.entries(special).filter(([name]) => more.includes(name)));
  return await HostOrchestrator.start({ [SERVER]: shared, ...others });
}

/**
 * Breaks something under 200 calls in flight and judges what clients saw of it: nothing crossed, lost or doubled,
 * each call ended, none executed twice, none executed that was said not to have run. The mesh is whole again by
 * itself afterwards.
 * @param fault resolves when what was broken is over; the load goes on until then.
 */
export async function underFault(
  t: ExecutionContext,
  mesh: HostOrchestrator,
  fault: (load: Load) => Promise<void>,
  server = SERVER,
): Promise<Verdict> {
  const load = new Load({ url: mesh.url, server, telling: TELLING });
  await load.start();
  await allInFlight(mesh, server);
  await fault(load);
  await mesh.whole([server]);
  await ended(load);
  return await judged(t, mesh, load, server);
}

export async function judged(
  t: ExecutionContext,
  mesh: HostOrchestrator,
  load: Load,
  server = SERVER,
): Promise<Verdict> {
  const verdict = load.history.verdict();
  t.deepEqual(faultsOf(verdict), NO_FAULTS, mesh.output.slice(-2000));
  t.is(verdict.answers + verdict.failed.length, verdict.calls);
  const executed = await executions(mesh, server, load.id);
  t.deepEqual(
    [...executed].filter(([, times]) => times > 1),
    [],
    'executed more than once',
  );
  const liars = [...load.history.failures].filter(([marker, why]) => saysNotRun(why) && executed.has(marker));
  t.deepEqual(liars, [], 'said not to have run, but did');
  t.log(summaryOf(verdict));
  return verdict;
}

/** By the mesh's own count. A few may have ended and not begun again at the moment it is asked. */
export async function allInFlight(mesh: HostOrchestrator, server = SERVER): Promise<void> {
  await until(`${IN_FLIGHT} calls are in flight`, async () => {
    const { json } = await mesh.api<{ callsInFlight: number }>('GET', `/api/v1/servers/${server}`);
    if (json.callsInFlight < IN_FLIGHT * 0.95) throw new Error(`${json.callsInFlight}`);
    return true;
  });
}

/** A call that never ends would hold the test for ever. */
export async function ended(load: Load): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`calls are still open after ${EVERY_CALL_ENDS_WITHIN_MS} ms`)),
    EVERY_CALL_ENDS_WITHIN_MS,
  );
  try {
    await Promise.race([load.stop(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Breaks one replica from inside: whichever the router picks. Its own call may end in an error. */
export async function breakOne(mesh: HostOrchestrator, how: string): Promise<void> {
  await mesh.api('POST', `/api/v1/servers/${SERVER}/tools/break`, { how });
}

/** How often each marker was executed, as the processes wrote it down on their volume. */
async function executions(
  mesh: HostOrchestrator,
  server: string,
  load: string,
): Promise<ReadonlyMap<string, number>> {
  // A server that is being repaired answers a moment later.
  const json = await until(`the executions of ${server} are read`, async () => {
    const answer = await mesh.api<ToolResult>('POST', `/api/v1/servers/${server}/tools/executions`, {});
    if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.json)}`);
    return answer.json;
  });
  const counts = new Map<string, number>();
  for (const line of textOf(json).split('\n')) {
    if (line.startsWith(load)) counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return counts;
}

function saysNotRun(why: string): boolean {
  return /"mayHaveRun":false/.test(why) || /"code":"(?:no_replica|queue_full)"/.test(why);
}

import test, { type ExecutionContext } from 'ava';
import { CrowdClient, type CrowdClientOptions, type Telling } from '../e2e/crowd-client.ts';
import {
  baseUrl,
  containersOf,
  dockerInside,
  expectStatus,
  metric,
  server,
  type ToolResult,
  textOf,
} from '../e2e/harness.ts';
import { fixtureEntry, makeServer } from '../e2e/own-server.ts';
import { rawRequest } from '../e2e/raw-http.ts';
import { type SecondOrchestrator, startSecondOrchestrator } from '../e2e/second-orchestrator.ts';
import { until } from '../e2e/until.ts';
import { faultsOf, History, NO_FAULTS, summaryOf } from '../history/history.ts';

const CLIENTS = 500;
/** Each client has two calls open at a time; all clients give them the same ids. */
const ROUNDS = [
  [1, 2],
  [3, 4],
];
const CALLS = ROUNDS.flat().length;
const STEPS = 3;
const REPLICAS = 4;
const PRINCIPALS = 20;
const WAVE = 20;
const BEFORE_ALL_MS = 120_000;
/** A container is cheap, hundreds of them on a small machine are not. */
const LONG_MS = 15 * 60_000;

/** Where one process serves many clients, nobody can be given what carries no correlation. */
const SHARED_TELLING: Telling = { steps: STEPS, ms: 5, logs: 1, logsToGet: 0 };
const OWN_TELLING: Telling = { ...SHARED_TELLING, logsToGet: 1 };

let second: SecondOrchestrator | null = null;
test.after.always(() => second?.end());

test.serial(
  '500 clients with the same ids on four shared replicas get their own answers and notifications, each once',
  async (t) => {
    t.timeout(LONG_MS);
    const resources = { memory: '128MiB', pids: 512 }; // a thread for each call
    const entry = { ...(await fixtureEntry('crowd.py')), sharing: 'shared', replicas: REPLICAS, resources };
    const name = await makeServer(t, 'crowd-shared', entry);
    await until('all replicas are ready', async () => (await server(name)).replicas.ready === REPLICAS, {
      timeoutMs: BEFORE_ALL_MS,
    });
    const history = new History();
    const clients = crowd(CLIENTS, (number) => ({ url: baseUrl, server: name, name: `c${number}`, history }));
    await Promise.all(clients.map((client) => client.open()));
    const hosts = (await Promise.all(clients.map((client) => tellAll(client, SHARED_TELLING)))).flat();
    await Promise.all(clients.map((client) => client.end()));

    judge(t, history, { clients: CLIENTS, calls: CLIENTS * CALLS, notifications: CLIENTS * CALLS * STEPS });
    const shares = [...Map.groupBy(hosts, (host) => host).values()].map(({ length }) => length);
    t.log(`calls of each replica: ${shares.join(', ')}`);
    t.is(shares.length, REPLICAS);
    for (const share of shares) t.true(share > hosts.length / REPLICAS / 2, `one replica got ${share}`);
    const labels = [`server="${name}"`, 'why="unattributed_notification"'];
    t.is(await metric('gantry_lines_dropped_total', ...labels), CLIENTS * CALLS);
  },
);

test.serial(
  '500 clients of 20 principals with the same ids get what is theirs, and no principal sees the state of another',
  async (t) => {
    t.timeout(LONG_MS);
    const principals = Array.from({ length: PRINCIPALS }, (_, index) => `p${index + 1}`);
    const entry = { ...(await fixtureEntry('crowd.py')), sharing: 'principal', maxSessions: PRINCIPALS * 2 };
    second = await startSecondOrchestrator({
      tokens: principals.map((principal) => ({ principal, scopes: ['call'] })),
      servers: { crowd: entry },
    });
    const { url, tokenOf } = second;
    const history = new History();
    const clients = crowd(CLIENTS, (number) => {
      const principal = principals[number % PRINCIPALS] ?? '';
      const token = tokenOf(principal);
      return { url, server: 'crowd', token, name: `${principal}-${number}`, history };
    });
    await Promise.all(clients.map((client) => client.open()));
    const hosts = (await Promise.all(clients.map((client) => tellAll(client, SHARED_TELLING)))).flat();
    judge(t, history, { clients: CLIENTS, calls: CLIENTS * CALLS, notifications: CLIENTS * CALLS * STEPS });
    t.is(new Set(hosts).size, PRINCIPALS);

    for (const principal of principals) {
      const theirs = clients.filter(({ name }) => name.startsWith(`${principal}-`));
      const told = theirs.flatMap(({ name }) => ROUNDS.flat().map((call) => `${name}/${call}`)).sort();
      t.is(told.length, (CLIENTS / PRINCIPALS) * CALLS);
      for (const era of ['legacy', 'modern']) {
        const seen = await theirs.find((client) => client.era === era)?.recall();
        t.deepEqual(seen?.toSorted(), told, `${principal}, ${era}`);
      }
      t.deepEqual((await recallOverRest(url, tokenOf(principal))).toSorted(), told, `${principal}, REST`);
    }
    await Promise.all(clients.map((client) => client.end()));
  },
);

test.serial(
  '500 sessions with a container each, in waves of 20, get what is theirs, and DELETE leaves no container',
  async (t) => {
    t.timeout(LONG_MS);
    // Those of earlier waves may still be on their way out.
    const limits = { maxSessions: WAVE * 5, resources: { memory: '64MiB' } };
    const entry = { ...(await fixtureEntry('crowd.py')), sharing: 'session', ...limits };
    const name = await makeServer(t, 'crowd-session', entry);
    await until('it is ready', async () => (await server(name)).state === 'ready', {
      timeoutMs: BEFORE_ALL_MS,
    });
    const history = new History();
    const base = { url: baseUrl, server: name, history };
    const hosts = new Set<string | null>();
    const startedAt = performance.now();
    for (let first = 0; first < CLIENTS; first += WAVE) {
      const wave = Array.from(
        { length: WAVE },
        (_, index) => new CrowdClient({ ...base, era: 'legacy', name: `s${first + index}` }),
      );
      // Beside them one without a session, who is served by the standing replica.
      const modern = new CrowdClient({ ...base, era: 'modern', name: `m${first}` });
      await Promise.all(wave.map((client) => client.open()));
      const [, ...answered] = await Promise.all([
        tellAll(modern, SHARED_TELLING),
        ...wave.map((client) => tellAll(client, OWN_TELLING)),
      ]);
      for (const own of answered) {
        t.is(new Set(own).size, 1);
        hosts.add(own[0] ?? null);
      }
      await Promise.all(wave.map((client) => client.end()));
    }
    t.log(`${CLIENTS} sessions in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    const waves = CLIENTS / WAVE;
    judge(t, history, {
      clients: CLIENTS + waves,
      calls: (CLIENTS + waves) * CALLS,
      notifications: (CLIENTS + waves) * CALLS * STEPS + CLIENTS * CALLS,
    });
    t.is(hosts.size, CLIENTS);
    await until('only the standing container is left', async () => {
      const known = await containersOf(name);
      const listed = await dockerInside('ps', '-aq', '--filter', `label=gantry.server=${name}`);
      const onEngine = listed.split('\n').filter((id) => id !== '').length;
      if (known.length !== 1 || onEngine !== 1)
        throw new Error(`${known.length} known, ${onEngine} on the engine`);
      return known[0]?.heldBy === 'pool';
    });
  },
);

/** Clients of both eras, of each principal too. */
function crowd(
  count: number,
  optionsOf: (number: number) => Omit<CrowdClientOptions, 'era'>,
): readonly CrowdClient[] {
  return Array.from(
    { length: count },
    (_, number) =>
      new CrowdClient({
        ...optionsOf(number),
        era: Math.floor(number / PRINCIPALS) % 2 === 0 ? 'legacy' : 'modern',
      }),
  );
}

/** @returns the host of each answer */
async function tellAll(client: CrowdClient, telling: Telling): Promise<readonly (string | null)[]> {
  const hosts: (string | null)[] = [];
  for (const round of ROUNDS) {
    hosts.push(...(await Promise.all(round.map((number) => client.tell(number, telling)))));
  }
  return hosts;
}

/** Nothing is wrong, nothing failed, and there was as much of everything as there should be. */
function judge(
  t: ExecutionContext,
  history: History,
  wanted: { readonly clients: number; readonly calls: number; readonly notifications: number },
): void {
  const verdict = history.verdict();
  t.log(summaryOf(verdict));
  t.deepEqual(faultsOf(verdict), NO_FAULTS);
  t.like(verdict, { ...wanted, answers: wanted.calls, failed: [] });
}

async function recallOverRest(url: string, token: string): Promise<readonly string[]> {
  const answer = rawRequest(new URL('/api/v1/servers/crowd/tools/recall', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  });
  return JSON.parse(textOf(await expectStatus<ToolResult>(200, answer))) as string[];
}

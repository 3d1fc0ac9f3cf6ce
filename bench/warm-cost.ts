import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchEngine } from './engine.ts';
import type { Gateway } from './gateway.ts';
import { HttpClient } from './http-client.ts';
import { type Spread, spreadOf } from './quantiles.ts';

/** Milliseconds, each with a spare (`warm`) and without one (`cold`). */
export type WarmCost = Readonly<
  Record<'session' | 'crash', { readonly warm: Spread; readonly cold: Spread }>
>;

const NAMES = { warm: 'bench-warm', cold: 'bench-cold' } as const;
type Way = keyof typeof NAMES;

/** So often a call is tried after a crash, whether or not the one before has been answered. */
const TRY_EVERY_MS = 5;
/** Nobody waits longer for a server. */
const GIVE_UP_MS = 60_000;

/** Names itself, and dies when told to: `who` answers with a word that no other process has. */
const MORTAL_SERVER = `
const me = require('node:crypto').randomUUID();
const say = (id, result) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  if (method === 'initialize') say(id, { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'mortal', version: '1.0.0' } });
  else if (method === 'tools/list') say(id, { tools: ['who', 'die'].map((name) => ({ name, inputSchema: { type: 'object' } })) });
  else if (method === 'tools/call' && params.name === 'die') process.exit(1);
  else if (method === 'tools/call') say(id, { content: [{ type: 'text', text: me }] });
  else say(id, {});
}).on('close', () => process.exit(0));
`.trim();

/** Both ways in every round, in turns; each round deploys its servers anew, so that no crash is the second of one. */
export async function measureWarmCost(
  gateway: Gateway,
  engine: BenchEngine,
  rounds: number,
): Promise<WarmCost> {
  const took = {
    session: { warm: [] as number[], cold: [] as number[] },
    crash: { warm: [] as number[], cold: [] as number[] },
  };
  const token = await gateway.callToken();
  for (let round = 0; round < rounds; round++) {
    for (const way of ['warm', 'cold'] as const) {
      took.session[way].push(await sessionStart(gateway, engine, way, token));
      took.crash[way].push(await crashToAnswer(gateway, engine, way, token));
    }
  }
  const spreads = ({ warm, cold }: Record<Way, number[]>) => ({ warm: spreadOf(warm), cold: spreadOf(cold) });
  return { session: spreads(took.session), crash: spreads(took.crash) };
}

/** From before initialize is sent until a session is open. With a spare: the second one, as most sessions are. */
async function sessionStart(
  gateway: Gateway,
  engine: BenchEngine,
  way: Way,
  token: string | null,
): Promise<number> {
  const name = NAMES[way];
  const open = (): Promise<HttpClient> =>
    HttpClient.open({ url: gateway.url, server: name, connections: 1, token });
  await deploy(gateway, engine, way, 'session');
  try {
    const first = await open();
    if (way === 'warm') await spareIsReady(gateway, name);
    const startedAt = performance.now();
    const second = await open();
    const tookMs = performance.now() - startedAt;
    await Promise.all([first.close(), second.close()]);
    return tookMs;
  } finally {
    await gateway.remove(name);
  }
}

/** From the call that kills the process until another process has answered one. */
async function crashToAnswer(
  gateway: Gateway,
  engine: BenchEngine,
  way: Way,
  token: string | null,
): Promise<number> {
  const name = NAMES[way];
  await deploy(gateway, engine, way, 'shared');
  try {
    if (way === 'warm') await spareIsReady(gateway, name);
    const before = await call(gateway, name, 'who', token);
    const startedAt = performance.now();
    void call(gateway, name, 'die', token);
    const answered = Promise.withResolvers<void>();
    let isOver = false;
    while (!isOver) {
      if (performance.now() - startedAt > GIVE_UP_MS) throw new Error(`${name} did not come back`);
      void call(gateway, name, 'who', token).then((who) => {
        if (who !== null && who !== before) answered.resolve();
      });
      isOver =
        (await Promise.race([answered.promise.then(() => 'answered'), sleep(TRY_EVERY_MS)])) === 'answered';
    }
    return performance.now() - startedAt;
  } finally {
    await gateway.remove(name);
  }
}

async function deploy(gateway: Gateway, engine: BenchEngine, way: Way, sharing: string): Promise<void> {
  await gateway.remove(NAMES[way]); // of an interrupted run
  await gateway.deploy(NAMES[way], {
    image: engine.bridgeImage,
    command: ['node', '-e', MORTAL_SERVER],
    sharing,
    replicas: { min: 1, warm: way === 'warm' ? 1 : 0 },
  });
}

/** A spare waits and has answered its handshake. */
async function spareIsReady(gateway: Gateway, name: string): Promise<void> {
  for (;;) {
    const containers = await gateway.containers();
    if (containers.some(({ server, spare, state }) => server === name && spare && state === 'ready')) return;
    await sleep(20);
  }
}

/** The text of the answer, or null where there is none. */
async function call(
  gateway: Gateway,
  name: string,
  tool: string,
  token: string | null,
): Promise<string | null> {
  const headers = {
    'content-type': 'application/json',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  const path = `${gateway.url}/api/v1/servers/${name}/tools/${tool}`;
  try {
    const response = await fetch(path, { method: 'POST', headers, body: '{}' });
    if (!response.ok) {
      await response.body?.cancel();
      return null;
    }
    const { content } = (await response.json()) as { content: { text: string }[] };
    return content[0]?.text ?? null;
  } catch {
    return null; // refused or cut off; the next try will tell
  }
}

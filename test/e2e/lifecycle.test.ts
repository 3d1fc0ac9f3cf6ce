import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Engine } from '../../orchestrator/engine/index.ts';
import { type Fact, Facts, GantryError, shortId, systemClock } from '../../orchestrator/kernel/index.ts';
import { Images, Mesh } from '../../orchestrator/lifecycle/index.ts';
import { containerSpec } from '../fakes/container-spec.ts';
import { spec } from '../lifecycle/rig.ts';
import { realEngine, testImage } from './real-engine.ts';
import { until } from './until.ts';

const MIB = 1024 * 1024;
const LIMITS = { memoryBytes: 96 * MIB, cpus: 1, pids: 64 };

/** A server small enough to be read here. Its tools are ways to die. */
const SERVER = `
import { createInterface } from 'node:readline';
const say = (id, result) => console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
const tools = {
  hog() { const kept = []; for (;;) kept.push(Buffer.alloc(1e7, 1)); },
  long() { console.log('x'.repeat(2 * 1024 * 1024)); },
  exit() { console.error('last words'); process.exit(7); },
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') say(id, { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'small', version: '1' } });
  if (method === 'tools/list') say(id, { tools: Object.keys(tools).map((name) => ({ name })) });
  if (method === 'tools/call') tools[params.name]();
}).on('close', () => process.exit(0));
`;

async function context(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-e2e-'));
  t.teardown(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, 'server.mjs'), SERVER);
  await writeFile(
    join(dir, 'Dockerfile'),
    `ARG GANTRY_BRIDGE_IMAGE\nFROM \${GANTRY_BRIDGE_IMAGE}\nCOPY server.mjs /srv/\nENTRYPOINT ["node", "/srv/server.mjs"]\n`,
  );
  return dir;
}

function meshOn(engine: Engine, owner: string) {
  const facts = new Facts();
  const pins = { get: async () => null, put: async (_key: string, version: string) => version };
  const bridgeTag = async () => testImage();
  const images = new Images({ engine, clock: systemClock, facts, owner, pins, bridgeTag });
  const mesh = new Mesh({
    engine,
    clock: systemClock,
    facts,
    owner,
    epoch: shortId(),
    random: Math.random,
    maxLineBytes: MIB,
    // Nobody is to be asked for its era here: every container counts.
    eras: { get: async () => ({ era: 'legacy', mixed: false }), put: async () => {} },
    prepareImage: (wanted) => images.prepare(wanted),
    urlOf: () => '',
  });
  mesh.open();
  return { mesh, facts };
}

/** Settles with the next fact that fits. */
function fact(facts: Facts, fits: (one: Fact) => boolean): Promise<Fact> {
  return new Promise((resolve) => {
    const unlisten = facts.listen((one) => {
      if (!fits(one)) return;
      unlisten();
      resolve(one);
    });
  });
}

const isReady = (one: Fact): boolean => one.type === 'server.state' && one.state === 'ready';

test('on a real engine a server comes up, its deaths are told apart and repaired, and shutdown leaves nothing', async (t) => {
  const owner = `e2e-${shortId()}`;
  const engine = realEngine();
  await engine.prepare();
  const { mesh, facts } = meshOn(engine, owner);
  const path = await context(t);
  const ready = fact(facts, isReady);
  await mesh.apply([spec('small', { source: { kind: 'build', path, command: null }, resources: LIMITS })]);
  await ready;
  t.like(mesh.get('small'), { state: 'ready', reason: null });
  await until('its tools are known', async () => mesh.tools('small').length === 3);

  const deaths = [
    ['hog', 'oom', 137],
    // We cut it off; a process that ends by itself in that moment has a code all the same.
    ['long', 'line_too_long', undefined],
    ['exit', 'exited', 7],
  ] as const;
  for (const [tool, reason, exitCode] of deaths) {
    const replica = await mesh.heldFor('small', 'anonymous');
    const again = fact(facts, isReady);
    const timeouts = { callTimeoutMs: 30_000, maxCallMs: 30_000 };
    const error = await t.throwsAsync<GantryError>(
      replica.call('tools/call', { name: tool, arguments: {} }, timeouts),
      { instanceOf: GantryError },
    );
    t.like(error?.detail, { reason, ...(exitCode === undefined ? {} : { exitCode }) }, tool);
    await again;
  }
  const [container] = await mesh.containers.list();
  t.like(container, { restarts: 3, generation: 4, state: 'ready' });
  t.like(container?.exit, { reason: 'exited', code: 7 });

  await mesh.shutdown(5000);
  t.deepEqual(await engine.list(owner), []);
});

test('on a real engine stop keeps the container, start uses it again, and a session ends with its container', async (t) => {
  const owner = `e2e-${shortId()}`;
  const engine = realEngine();
  const { mesh, facts } = meshOn(engine, owner);
  const path = await context(t);
  const ready = fact(facts, isReady);
  await mesh.apply([spec('small', { source: { kind: 'build', path, command: null }, resources: LIMITS })]);
  await ready;
  const [container] = await mesh.containers.list();
  const id = container?.id ?? '';
  t.like(await mesh.containers.act(id, 'stop'), { state: 'stopped', exit: { code: 0 } });
  const again = fact(facts, isReady);
  await mesh.containers.act(id, 'start');
  await again;
  t.is((await mesh.containers.get(id)).state, 'ready');

  const replica = await mesh.openForSession('small', 'alice');
  t.is((await engine.list(owner)).length, 2);
  await mesh.release(replica, 'test');
  t.is((await engine.list(owner)).length, 1);
  await mesh.shutdown(5000);
});

test('on a real engine what a killed process left running is removed by its successor, and nothing of others', async (t) => {
  const owner = `e2e-${shortId()}`;
  const engine = realEngine();
  const left = await leave(engine, owner, 'before');
  const foreign = await leave(engine, `${owner}-other`, 'before');
  t.teardown(() => engine.remove(foreign));
  const { mesh, facts } = meshOn(engine, owner);
  await fact(facts, (one) => one.type === 'engine.state' && one.state === 'up');
  t.is(await engine.inspect(left), null);
  t.is((await engine.inspect(foreign))?.state, 'running');
  await mesh.shutdown(1000);
});

/** A running container as an orchestrator that was killed leaves it. */
async function leave(engine: Engine, owner: string, epoch: string): Promise<string> {
  const id = await engine.create(
    containerSpec({
      name: `${owner}-left`,
      image: testImage(),
      command: ['sleep', '600'],
      labels: { 'gantry.owner': owner, 'gantry.epoch': epoch },
      limits: { ...LIMITS, nofile: 1024 },
    }),
  );
  await engine.start(id);
  return id;
}

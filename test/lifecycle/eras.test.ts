import test, { type ExecutionContext } from 'ava';
import type { EraVerdict } from '../../orchestrator/kernel/index.ts';
import { type EraMemory, MemoryEraMemory } from '../../orchestrator/lifecycle/index.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';
import { type EraProgramOptions, eraProgram } from './era-programs.ts';
import { exitsAtOnce } from './fake-server.ts';
import { rig, running, settle, spec, until } from './rig.ts';

type Rig = ReturnType<typeof rig>;

/** A mesh with one server that runs such a program. */
async function served(
  t: ExecutionContext,
  program: EraProgramOptions,
  { memory = new MemoryEraMemory(), ...entry }: Parameters<typeof spec>[1] & { memory?: EraMemory } = {},
) {
  const engine = new FakeEngine({ programs: { it: eraProgram(program), dies: exitsAtOnce } });
  const all = rig({ engine, eras: memory });
  t.teardown(async () => {
    let isOver = false;
    void all.mesh.shutdown(0).then(() => {
      isOver = true;
    });
    await inTime(all, 'the mesh is over', () => isOver);
  });
  await all.mesh.apply([spec('one', { ...running('it'), ...entry })]);
  return { ...all, engine, memory };
}

/** Lets time pass in steps until something is so, as servers that keep silent need. */
async function inTime({ clock }: Pick<Rig, 'clock'>, what: string, isSo: () => boolean): Promise<void> {
  for (let step = 0; step < 100 && !isSo(); step++) {
    await settle();
    if (!isSo()) clock.advance(500);
  }
  await until(what, isSo);
}

const ready = (all: Pick<Rig, 'mesh' | 'clock'>, name = 'one') =>
  inTime(all, 'it is ready', () => all.mesh.get(name).state === 'ready');

/** Throwaway replicas are those that no list of the mesh has. */
const throwaways = ({ engine }: { engine: FakeEngine }): number =>
  engine.created.filter(({ name }) => /-one-era-/.test(name)).length;

/** Until there are only so many containers. */
async function left(all: Pick<Rig, 'clock'> & { engine: FakeEngine }, count: number): Promise<void> {
  let seen = -1;
  await inTime(all, `only ${count} containers are left`, () => {
    void all.engine.list('gantry').then(({ length }) => {
      seen = length;
    });
    return seen === count;
  });
}

for (const otherwise of ['refuse', 'ignore', 'exit'] as const) {
  test(`a server without sessions that answers initialize with "${otherwise}" becomes ready by discover, its tools known`, async (t) => {
    const all = await served(t, { eras: ['modern'], otherwise }, { replicas: 2 });
    await inTime(all, 'both are ready', () => all.mesh.get('one').replicas.ready === 2);
    await inTime(all, 'tools are known', () => all.mesh.get('one').toolCount > 0);
    t.like(all.mesh.get('one'), { era: 'modern', protocolVersion: '2026-07-28', toolCount: 1 });
    t.is(all.mesh.tools('one')[0]?.name, 'tool-of-modern');
  });
}

const verdicts: [string, EraProgramOptions, EraVerdict][] = [
  ['refuses what it does not know', { eras: ['legacy'] }, { era: 'legacy', mixed: false }],
  ['exits', { eras: ['legacy'], otherwise: 'exit' }, { era: 'legacy', mixed: false }],
  ['is silent', { eras: ['legacy'], otherwise: 'ignore' }, { era: 'legacy', mixed: false }],
  ['refuses initialize', { eras: ['modern'] }, { era: 'modern', mixed: false }],
  ['speaks both in one process', { eras: ['legacy', 'modern'] }, { era: 'both', mixed: true }],
  ['stays in its first era', { eras: ['legacy', 'modern'], stays: true }, { era: 'both', mixed: false }],
  [
    'stays, and exits at the other',
    { eras: ['legacy', 'modern'], stays: true, otherwise: 'exit' },
    { era: 'both', mixed: false },
  ],
];
for (const [title, program, verdict] of verdicts) {
  test(`the verdict on a server that ${title} is found while it serves, and kept`, async (t) => {
    const all = await served(t, program);
    await ready(all);
    await inTime(all, 'its era is shown', () => all.mesh.get('one').era !== null);
    t.is(all.mesh.get('one').era, verdict.era);
    t.deepEqual(await all.mesh.era('one'), verdict);
    t.true(throwaways(all) >= 1 && throwaways(all) <= 2);
    await left(all, 1);
  });
}

test('a memory that outlives the mesh: the next one asks nobody, and greets at once in the right era', async (t) => {
  const memory = new MemoryEraMemory();
  const first = await served(t, { eras: ['modern'], otherwise: 'exit' }, { memory });
  await ready(first);
  await first.mesh.shutdown(0);
  const second = await served(t, { eras: ['modern'], otherwise: 'exit' }, { memory });
  await until('it is ready', () => second.mesh.get('one').state === 'ready');
  t.is(second.mesh.get('one').era, 'modern');
  t.is(second.engine.created.length, 1, 'no throwaway replica, and no start that failed');
});

test('another image, argument or variable is asked anew, the same ones are not', async (t) => {
  const all = await served(t, { eras: ['legacy'] }, { env: { A: '1' } });
  const asked = async (entry: Parameters<typeof spec>[1]): Promise<number> => {
    const before = throwaways(all);
    await all.mesh.apply([spec('one', { ...running('it'), env: { A: '1' }, ...entry })]);
    await settle();
    await inTime(all, 'it is ready and known', () => {
      const { state, era, rollout } = all.mesh.get('one');
      return state === 'ready' && era !== null && (rollout === null || rollout.state === 'done');
    });
    return throwaways(all) - before;
  };
  t.is(await asked({}), 1);
  t.is(await asked({ env: { A: '2' } }), 1);
  t.is(await asked({ env: { A: '2', B: '' } }), 1);
  t.is(await asked({ args: ['-v'] }), 1);
  t.is(await asked({}), 0);
});

test('a verdict that has turned out to be wrong is found again, and the replica is greeted as it wants', async (t) => {
  const wrong = {
    get: async (): Promise<EraVerdict> => ({ era: 'modern', mixed: false }),
    put: async (_key: string, verdict: EraVerdict): Promise<void> => void put.push(verdict),
  };
  const put: EraVerdict[] = [];
  const all = await served(t, { eras: ['legacy'] }, { memory: wrong });
  await ready(all);
  t.is(all.mesh.get('one').era, 'legacy');
  t.deepEqual(put, [{ era: 'legacy', mixed: false }]);
  t.is(all.engine.created.length, 2);
});

test('throwaway replicas take no place from sessions, and are in no list', async (t) => {
  const all = await served(t, { eras: ['legacy'], otherwise: 'ignore' }, { maxSessions: 1 });
  await ready(all);
  await until('somebody is asked', () => throwaways(all) === 1);
  t.is((await all.mesh.openForSession('one', 'alice')).identity.heldBy, 'session');
  t.is((await all.mesh.containers.list()).length, 2);
  t.is(all.mesh.get('one').replicas.total, 2);
});

test('a server that cannot start has no era, is not asked without end, and says why it does not start', async (t) => {
  const all = await served(t, { eras: [] }, running('dies'));
  await inTime(all, 'it has failed', () => all.mesh.get('one').reason !== null);
  t.like(all.mesh.get('one'), { era: null, reason: { code: 'exited', exitCode: 3 } });
  const error = await t.throwsAsync(all.mesh.era('one'));
  t.regex(error?.message ?? '', /Server one answered neither initialize nor server\/discover/);
  t.is(throwaways(all), 2);
  t.true(await all.mesh.speaksLegacy('one'), 'its own handshake will say what is wrong');
  t.is(throwaways(all), 2);
});

test('a stopped server is not asked, and stopping ends whoever is being asked', async (t) => {
  const all = await served(t, { eras: ['legacy'], otherwise: 'ignore' });
  await ready(all);
  await until('somebody is asked', () => throwaways(all) === 1);
  all.mesh.stop('one');
  await inTime(all, 'it is stopped', () => all.mesh.get('one').state === 'stopped');
  await left(all, 0);
  const error = await t.throwsAsync(all.mesh.era('one'));
  t.regex(error?.message ?? '', /Server one is stopped/);
});

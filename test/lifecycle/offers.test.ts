import test from 'ava';
import { FakeEngine, type FakeProgram } from '../fakes/fake-engine.ts';
import { rig, running, settle, spec, until } from './rig.ts';

type Request = {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly cursor?: string };
};

/** Offers everything, its prompts on two pages; a method in `broken` never answers, one in `refused` is refused. */
function offering({
  broken = [],
  refused = [],
}: {
  broken?: string[];
  refused?: string[];
} = {}): FakeProgram {
  const results: Readonly<Record<string, object>> = {
    initialize: {
      protocolVersion: '2025-06-18',
      capabilities: { tools: {}, prompts: {}, resources: {} },
      serverInfo: {},
      instructions: 'Be brief.',
    },
    'tools/list': { tools: [{ name: 'x' }, { name: 'y' }] },
    'prompts/list': { prompts: [{ name: 'p' }], nextCursor: '2' },
    'resources/list': { resources: [{ uri: 'u:1', name: 'one' }, { name: 'without' }] },
    'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'u:{n}' }] },
  };
  return (io) => {
    io.onLine((line) => {
      const { id, method, params } = JSON.parse(line) as Request;
      if (id === undefined || broken.includes(method)) return;
      const second = params?.cursor === '2' ? { prompts: [{ name: 'q' }] } : null;
      const answer = refused.includes(method)
        ? { error: { code: -32603, message: 'no' } }
        : { result: second ?? results[method] ?? {} };
      io.stdout(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`);
    });
    io.onEnd(() => io.exit(0));
  };
}

function engineWith(program: FakeProgram): FakeEngine {
  return new FakeEngine({ programs: { offering: program } });
}

const ALL = {
  tools: [{ name: 'x' }, { name: 'y' }],
  prompts: [{ name: 'p' }, { name: 'q' }],
  resources: [{ uri: 'u:1', name: 'one' }],
  resourceTemplates: [{ uriTemplate: 'u:{n}' }],
  instructions: 'Be brief.',
};

const news = ({ stated }: ReturnType<typeof rig>) => stated.filter(({ type }) => type === 'server.offers');

test('all that a server offers is known once it is ready, and told once for all of its replicas', async (t) => {
  const all = rig({ engine: engineWith(offering()) });
  await all.mesh.apply([spec('one', { ...running('offering'), replicas: 2 })]);
  t.is(all.mesh.known('one').offers, null);
  await until('it is known', () => all.mesh.known('one').offers !== null);
  await until('both are ready', () => all.mesh.get('one').replicas.ready === 2);
  await settle();
  t.deepEqual(all.mesh.known('one').offers, ALL);
  t.deepEqual(news(all), [{ type: 'server.offers', server: 'one' }]);
});

test('a list that is refused or never comes is empty, and hides none of the others', async (t) => {
  const program = offering({ broken: ['resources/list'], refused: ['prompts/list'] });
  const all = rig({ engine: engineWith(program) });
  await all.mesh.apply([spec('one', running('offering'))]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  await settle();
  all.clock.advance(10_000);
  await until('it is known', () => all.mesh.known('one').offers !== null);
  t.deepEqual(all.mesh.known('one').offers, { ...ALL, prompts: [], resources: [] });
});

test('a list that does not come is as an earlier start knew it', async (t) => {
  const memory = {
    history: () => null,
    stopped: () => false,
    replicas: () => 1,
    offers: () => ({ ...ALL, tools: [{ name: 'old' }] }),
  };
  const all = rig({ memory, engine: engineWith(offering({ broken: ['resources/list'] })) });
  await all.mesh.apply([spec('one', running('offering'))]);
  t.deepEqual(all.mesh.tools('one'), [{ name: 'old' }]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  await settle();
  all.clock.advance(10_000);
  await until('it was read', () => news(all).length > 0);
  t.deepEqual(all.mesh.known('one').offers, ALL);
});

test('tools that are not offered are not shown, and a changed filter holds without another container', async (t) => {
  const all = rig({ engine: engineWith(offering()) });
  const one = spec('one', { ...running('offering'), tools: { allow: null, deny: ['x'] } });
  await all.mesh.apply([one]);
  await until('it is known', () => all.mesh.known('one').offers !== null);
  t.deepEqual(all.mesh.tools('one'), [{ name: 'y' }]);
  t.is(all.mesh.get('one').toolCount, 1);
  const [before] = await all.mesh.containers.list();
  await all.mesh.apply([{ ...one, tools: { allow: ['x'], deny: [] } }]);
  await settle();
  t.deepEqual(all.mesh.tools('one'), [{ name: 'x' }]);
  t.is((await all.mesh.containers.list())[0]?.id, before?.id);
});

import { spawn } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import { compose, dockerInside, server } from '../e2e/harness.ts';
import { modernCall } from '../e2e/modern-client.ts';
import { imageOf, makeServer, uniqueName, untilReady } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';

test.serial(
  'after a restart of the orchestrator no server is asked again which eras it speaks',
  async (t) => {
    t.timeout(280_000);
    const image = await imageOf('conformance');
    const made = await watchCreated(t, image);
    const eras: [string, string][] = [];
    for (const [era, env] of [
      ['modern', { MCP_FIXTURE_ERA: 'modern-exits', KEPT: uniqueName('kept') }],
      ['both', { KEPT: uniqueName('kept') }],
      ['legacy', { MCP_FIXTURE_ERA: 'legacy', KEPT: uniqueName('kept') }],
    ] as const) {
      eras.push([await makeServer(t, `kept-${era}`, { image, env }), era]);
    }
    for (const [name, era] of eras) {
      await until(`the era of ${name}`, async () => (await server(name)).era === era, { timeoutMs: 120_000 });
    }
    await until('that they were asked is seen', async () =>
      eras.some(([name]) => made().includes(`${name}-era-`)),
    );
    const before = made().length;
    await compose('restart', 'orchestrator');
    for (const [name, era] of eras) {
      await until(`${name} is there again`, async () => (await server(name)).name === name);
      await untilReady(name);
      t.is((await server(name)).era, era);
      const { result } = await modernCall(name, 'server/discover');
      t.deepEqual(result?.supportedVersions, ['2026-07-28']);
    }
    const since = (): string => made().slice(before);
    await until('their new containers are seen', async () =>
      eras.every(([name]) => since().includes(`${name}-1`)),
    );
    t.false(
      eras.some(([name]) => since().includes(`${name}-era-`)),
      since(),
    );
  },
);

/** Follows the engine: the names of all containers that are made from now on. */
async function watchCreated(t: ExecutionContext, image: string): Promise<() => string> {
  const [program = '', ...args] = JSON.parse(process.env.GANTRY_TEST_COMPOSE ?? '[]') as string[];
  const format = '{{.Actor.Attributes.name}}';
  // It ends by itself, should this test not end it.
  const events = ['timeout', '280', 'docker', 'events', '--filter', 'event=create', '--format', format];
  const child = spawn(program, [...args, 'exec', '-T', 'dind', ...events], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill());
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    seen += chunk;
  });
  const canary = uniqueName('canary');
  await until('the engine is followed', async () => {
    await dockerInside('create', '--name', canary, image);
    await dockerInside('rm', canary);
    return seen.includes(canary);
  });
  return () => seen;
}

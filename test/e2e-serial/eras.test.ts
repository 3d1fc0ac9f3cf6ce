import test from 'ava';
import { compose, dockerInside, server } from '../e2e/harness.ts';
import { modernCall } from '../e2e/modern-client.ts';
import { imageOf, makeServer, untilReady } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';

test.serial(
  'after a restart of the orchestrator no server is asked again which eras it speaks',
  async (t) => {
    t.timeout(280_000);
    const image = await imageOf('conformance');
    const eras: [string, string][] = [];
    for (const [era, env] of [
      ['modern', { MCP_FIXTURE_ERA: 'modern-exits' }],
      ['both', {}],
      ['legacy', { MCP_FIXTURE_ERA: 'legacy' }],
    ] as const) {
      eras.push([await makeServer(t, `kept-${era}`, { image, env }), era]);
    }
    for (const [name, era] of eras) {
      await until(`the era of ${name}`, async () => (await server(name)).era === era, { timeoutMs: 120_000 });
    }
    const asked = (names: string): boolean => eras.some(([name]) => names.includes(`${name}-era-`));
    t.true(asked(await created('0')), 'replicas made for the question can be seen at all');
    const before = (await dockerInside('info', '--format', '{{.SystemTime}}')).trim();
    await compose('restart', 'orchestrator');
    for (const [name, era] of eras) {
      await until(`${name} is there again`, async () => (await server(name)).name === name);
      await untilReady(name);
      t.is((await server(name)).era, era);
      const { result } = await modernCall(name, 'server/discover');
      t.deepEqual(result?.supportedVersions, ['2026-07-28']);
    }
    t.false(asked(await created(before)));
  },
);

/** Names of the containers that were made in the engine since a time of its clock. */
async function created(since: string): Promise<string> {
  const until = (await dockerInside('info', '--format', '{{.SystemTime}}')).trim();
  const format = '{{.Actor.Attributes.name}}';
  const range = ['--since', since, '--until', until];
  return dockerInside('events', ...range, '--filter', 'event=create', '--format', format);
}

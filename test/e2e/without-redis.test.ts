import test from 'ava';
import { HostOrchestrator } from '../chaos/host-orchestrator.ts';
import { type Server, type ToolResult, textOf } from './harness.ts';
import { fixtureEntry } from './own-server.ts';
import { until } from './until.ts';

type Status = {
  readonly infrastructure: readonly {
    readonly name: string;
    readonly state: string;
    readonly metadata: { readonly message: string };
  }[];
};

let mesh: HostOrchestrator;

test.before(async (t) => {
  t.timeout(120_000);
  mesh = await HostOrchestrator.start({ plain: await fixtureEntry('plain.py') }, { usesRedis: false });
});
test.after.always(async (t) => {
  t.timeout(60_000);
  await mesh?.end();
});

test('without Redis the mesh serves, says what it will forget, and has forgotten it after a kill', async (t) => {
  t.timeout(120_000);
  t.regex(mesh.output, /No Redis is configured: servers made over the API.*are forgotten at the next start/);
  t.is((await mesh.api('GET', '/readyz')).status, 200);
  const { json } = await mesh.api<Status>('GET', '/api/v1/mesh/status');
  const redis = json.infrastructure.find(({ name }) => name === 'redis');
  t.is(redis?.metadata.message, 'not configured: nothing outlives the orchestrator');

  const made = await mesh.api('POST', '/api/v1/servers', {
    name: 'made',
    ...(await fixtureEntry('plain.py')),
  });
  t.is(made.status, 202);
  await mesh.whole(['made', 'plain']);
  const answer = await mesh.api<ToolResult>('POST', '/api/v1/servers/made/tools/echo', {
    text: 'from memory',
  });
  t.is(textOf(answer.json), 'from memory');
  t.is((await mesh.api('POST', '/api/v1/servers/plain/stop')).status, 202);

  await mesh.signal('SIGKILL');
  mesh.launch();
  await until('it serves again', async () => {
    const plain = await mesh.api<Server>('GET', '/api/v1/servers/plain');
    return plain.json.state === 'ready';
  });
  t.is((await mesh.api('GET', '/api/v1/servers/made')).status, 404);
  await mesh.whole(['plain']);
});

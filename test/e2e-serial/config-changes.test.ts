import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test from 'ava';
import { ConfigOfTest, containerIds, engineReplicas, PROGRAM, rollout } from '../e2e/changes.ts';
import { config, configPath, editConfig, readConfig } from '../e2e/config-file.ts';
import {
  api,
  type Container,
  callTool,
  compose,
  dockerInside,
  expectStatus,
  metric,
  type Server,
  server,
} from '../e2e/harness.ts';
import { uniqueName, untilReady, untilSettled } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';

let file: ConfigOfTest;

test.before(async (t) => {
  t.timeout(300_000);
  await untilSettled();
  file = await ConfigOfTest.read();
});

test.afterEach.always(() => file.restore());

test.serial(
  'a file with problems is refused as a whole, the mesh is left alone, and each problem is named',
  async (t) => {
    const before = await containerIds();
    const refused = await metric('gantry_config_reloads_total', 'outcome="refused"');
    const name = uniqueName('fine');
    const text = file.textWith({
      [name]: PROGRAM,
      wrong: { npm: 'x@latest', sharring: 'shared' },
    });
    const reload = await editConfig(text);
    t.is(reload.outcome, 'refused');
    const line = text.split('\n').findIndex((row) => row.startsWith('  wrong:')) + 1;
    t.deepEqual(
      reload.problems.map((problem) => [problem.file, problem.line, problem.path]),
      [
        ['gantry.yaml', line, 'servers.wrong.npm'],
        ['gantry.yaml', line, 'servers.wrong.sharring'],
      ],
    );
    t.regex(reload.problems[1]?.message ?? '', /Did you mean "sharing"/);
    t.is((await api('GET', `/api/v1/servers/${name}`)).status, 404);
    t.is(await metric('gantry_config_reloads_total', 'outcome="refused"'), refused + 1);
    t.regex(await compose('logs', '--no-color', '--tail', '200', 'orchestrator'), /servers\.wrong\.sharring/);
    const empty = await editConfig('', { how: 'in place' });
    t.is(empty.outcome, 'refused');
    t.regex(empty.problems[0]?.message ?? '', /is empty/);
    t.deepEqual(await containerIds(), before);
  },
);

test.serial(
  'the file of the environment is laid over gantry.yaml, and its problems are found in it',
  async (t) => {
    const overlay = await readConfig('gantry.test.yaml');
    t.teardown(() => editConfig(overlay, { name: 'gantry.test.yaml' }));
    t.like(await config(), { environment: 'test', files: ['gantry.yaml', 'gantry.test.yaml'] });
    const plain = (await server('plain')) as Server & { envKeys: string[] };
    t.deepEqual(plain.envKeys, ['FIXTURE_CANARY', 'OVERLAID']);
    const reload = await editConfig(`${overlay.trimEnd()}\n    replicas: many\n`, {
      name: 'gantry.test.yaml',
    });
    t.is(reload.outcome, 'refused');
    const line = overlay.trimEnd().split('\n').length + 1;
    t.like(reload.problems[0], {
      file: 'gantry.test.yaml',
      line,
      column: 15,
      path: 'servers.plain.replicas',
    });
  },
);

test.serial(
  'a value that stands in a file reaches the process and is shown nowhere; a new value rolls the server',
  async (t) => {
    t.timeout(180_000);
    const canaries = ['canary-8d1f02-one', 'canary-8d1f02-two'] as const;
    const path = configPath('secrets/token');
    await mkdir(dirname(path), { recursive: true });
    t.teardown(() => rm(dirname(path), { recursive: true, force: true }));
    const name = uniqueName('secret');
    const entry = { ...PROGRAM, sharing: 'shared', env: { TOKEN: { file: 'secrets/token' } } };
    const text = file.textWith({ [name]: entry });
    const missing = await editConfig(text);
    t.like(missing.problems[0], { path: `servers.${name}.env.TOKEN.file` });
    t.is(missing.problems[0]?.message, 'secrets/token does not exist');
    await writeFile(path, `${canaries[0]}\n`);
    await untilReady(name);
    t.is(await digestInside(name), sha256(canaries[0]));
    await writeFile(path, `${canaries[1]}\n`);
    await rollout(name, 'done');
    t.is(await digestInside(name), sha256(canaries[1]));
    for (const [where, shown] of await everythingShown(name)) {
      t.false(shown.includes('canary-8d1f02'), where);
      t.true(shown.length > 0, where);
    }
    const over = { name: uniqueName('refused'), image: 'x:1', env: { TOKEN: { file: 'secrets/token' } } };
    const refused = await api('POST', '/api/v1/servers', { body: over });
    t.is(refused.status, 422);
    t.regex(refused.text, /only gantry\.yaml can refer to one/);
  },
);

test.serial(
  'servers start after those they depend on; one that fails blocks only its dependents, which say so',
  async (t) => {
    t.timeout(180_000);
    const [base, left, top, apart] = ['base', 'left', 'top', 'apart'].map(uniqueName) as [
      string,
      string,
      string,
      string,
    ];
    const failing = { ...PROGRAM, command: ['python3', '/opt/fixtures/exits_at_once.py'] };
    const dependents = {
      [top]: { ...PROGRAM, dependsOn: [left, base] },
      [left]: { ...PROGRAM, dependsOn: [base] },
      [apart]: PROGRAM,
    };
    await file.edit({ ...dependents, [base]: failing });
    await untilReady(apart);
    await until('it is a failure', async () => (await server(base)).state === 'failed', {
      timeoutMs: 120_000,
    });
    for (const name of [left, top]) {
      const seen = await server(name);
      t.is(seen.state, 'pending', name);
      t.is(seen.reason?.code, 'dependency_failed', name);
      t.regex(seen.reason?.message ?? '', /depends on server/);
      t.deepEqual(await engineReplicas(name), []);
    }
    await file.edit({ ...dependents, [base]: PROGRAM });
    for (const name of [base, left, top]) await untilReady(name);
    const started = await Promise.all([base, left, top].map(startedAt));
    t.deepEqual(started, started.toSorted());
    const circle = { ...dependents, [base]: { ...PROGRAM, dependsOn: [top] } };
    const reload = await file.edit(circle);
    t.regex(reload.problems[0]?.message ?? '', /closes a circle/);
    t.is((await server(base)).state, 'ready');
  },
);

async function startedAt(name: string): Promise<string> {
  const [replica] = await engineReplicas(name);
  const id = (await dockerInside('ps', '-q', '--filter', `label=gantry.replica=${replica}`)).trim();
  return (await dockerInside('inspect', '-f', '{{.State.StartedAt}}', id)).trim();
}

async function digestInside(name: string): Promise<string> {
  const argv = ['sh', '-c', 'printf %s "$TOKEN" | sha256sum'];
  return JSON.parse(await callTool(name, 'run', { argv })).stdout.split(' ')[0];
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What Gantry says in every place where it says something, by place. */
async function everythingShown(name: string): Promise<Map<string, string>> {
  const { containers } = await expectStatus<{ containers: Container[] }>(
    200,
    api('GET', '/api/v1/containers'),
  );
  const id = containers.find((one) => one.server === name)?.id;
  const paths = [
    ...['/api/v1/servers', `/api/v1/servers/${name}`, `/api/v1/servers/${name}/tools`, '/api/v1/config'],
    ...['/api/v1/containers', `/api/v1/containers/${id}`, `/api/v1/containers/${id}/logs`],
    ...[
      '/api/v1/mesh/status',
      '/api/v1/mesh/services',
      `/api/v1/mesh/services/${name}`,
      '/metrics',
      '/openapi.json',
    ],
  ];
  const shown = new Map<string, string>();
  for (const path of paths) shown.set(path, (await api('GET', path)).text);
  shown.set('an error', (await api('POST', `/api/v1/servers/${name}/tools/none`, { body: {} })).text);
  shown.set('a reload', (await api('POST', '/api/v1/reload')).text);
  shown.set('the log', await compose('logs', '--no-color', 'orchestrator'));
  const redis = 'redis-cli -a "$(cat /secret/redis-password)" --no-auth-warning';
  const dump = `for key in $(${redis} --scan); do echo "$key"; ${redis} hgetall "$key"; ${redis} get "$key"; done 2>&1; echo end`;
  shown.set('the registry', await compose('exec', '-T', 'redis', 'sh', '-c', dump));
  return shown;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { loadConfig } from '../orchestrator/config/index.ts';
import { catalogTable } from '../scripts/catalog.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const catalog = join(ROOT, 'catalog/origin.yaml');

/** The servers of the earlier mesh, in the order of their ports, 3001 to 3019. */
const NINETEEN = [
  ...['claude-flow', 'ruv-swarm', 'files', 'context7', 'http-fetch', 'ddg', 'sequentialthinking', 'nx-mcp'],
  ...[
    'extended-memory',
    'mcp-ssh',
    'ultimatecoder',
    'playwright-mcp',
    'memory-bank-mcp',
    'knowledge-graph-mcp',
  ],
  ...['compass-mcp', 'github', 'http', 'language-server', 'claude-task-runner'],
];

function servers() {
  const loaded = loadConfig(read('catalog/origin.yaml'), { baseDir: join(ROOT, 'catalog') });
  return loaded.ok ? loaded.servers : [];
}

test('the catalogue is valid without any secret, and has the nineteen on their ports at exact versions', (t) => {
  t.deepEqual(
    servers().map(({ name, port }) => [name, port]),
    NINETEEN.map((name, index) => [name, 3001 + index]),
  );
  for (const { source, name } of servers()) {
    if (source.kind === 'npm') t.regex(source.version ?? '', /^\d+\.\d+\.\d+$/, name);
    else t.is(source.kind, 'build');
  }
});

test('every package of its Dockerfiles has an exact version', (t) => {
  const files = readdirSync(join(ROOT, 'catalog'), { recursive: true, encoding: 'utf8' });
  const dockerfiles = files.filter((file) => file.endsWith('Dockerfile'));
  t.is(dockerfiles.length, 3);
  for (const file of dockerfiles) {
    const [install = ''] = /npm install[^&]*/.exec(read(join('catalog', file))) ?? [];
    const packages = install
      .split(/\s+/)
      .filter((word) => /^@?[a-z][\w./-]*(@|$)/.test(word) && word !== 'npm');
    const inexact = packages.filter((word) => word !== 'install' && !/.@\d+\.\d+\.\d+$/.test(word));
    t.deepEqual(inexact, [], file);
  }
});

test('the table in the documentation is what npm run catalog prints', (t) => {
  const table = catalogTable(catalog, read('catalog/origin.yaml'));
  t.is(table.split('\n').length, NINETEEN.length + 2);
  t.true(
    read('docs/origin-catalog.md').includes(`\n${table}\n`),
    'npm run catalog, and put it into the page',
  );
});

test('where a mesh is up, the table has the states of its servers', (t) => {
  const states = new Map([
    ['files', 'paused'],
    ['github', 'disabled'],
  ]);
  const rows = catalogTable(catalog, read('catalog/origin.yaml'), states).split('\n');
  t.regex(rows.find((row) => row.includes('`files`')) ?? '', /^\| 3003 \| `files` \| paused \|/);
  t.regex(
    rows.find((row) => row.includes('`github`')) ?? '',
    /\| disabled \|.*needs a token and the internet/,
  );
  t.regex(rows.find((row) => row.includes('`ddg`')) ?? '', /\| not there \|/);
});

test('a file with a mistake has no table, and the mistake is told with its line', (t) => {
  t.throws(() => catalogTable(catalog, 'servers:\n  a: {npm: "x@latest"}\n'), {
    message: /^catalog\/origin\.yaml:2:12 servers\.a\.npm: needs an exact version/,
  });
});

test('metrics that the migration page names are metrics of Gantry', (t) => {
  const source = readdirSync(join(ROOT, 'orchestrator/telemetry'))
    .map((file) => read(join('orchestrator/telemetry', file)))
    .join('\n');
  const named = [...read('docs/migration.md').matchAll(/`(gantry_[a-z_]+[a-z])`/g)].map(
    ([, name = '']) => name,
  );
  t.true(named.length > 5, 'the test saw the names');
  t.deepEqual(
    named.filter((name) => !source.includes(`'${name}'`)),
    [],
  );
});

test('the migration page has every route, port plan and key of the earlier mesh', (t) => {
  const page = read('docs/migration.md');
  const missing = [
    ...[
      '/status',
      '/v2/register',
      '/v2/services',
      '/v2/enqueue',
      '/v2/task/{id}',
      '/v2/health',
      '/enqueue',
      '/results',
    ],
    ...[
      '/agents',
      '/ollama/generate',
      '/v2/deregister/{id}',
      '/v2/discover/{name}',
      '/v2/call',
      '/v2/topology',
    ],
    ...[
      '/v2/configure/load-balancer',
      '/circuit-breaker',
      '/metrics',
      '/services/{n}/execute',
      '/dind/deploy',
    ],
    ...[
      '/dind/{n}/request',
      '/dind/{n}/clients',
      '/unified-dev/',
      '/capabilities/{n}',
      '/containers',
      '/cleanup',
    ],
    ...['3001 to 3019', '11100 to 11199', '12375', '12376', '18080', '18081', '19090'],
    ...[
      'stream:tasks:<topic>',
      'stream:results:<topic>',
      'stream:dead:<topic>',
      'mesh:agent:<id>',
      'task:<id>',
    ],
    ...['ip_hash', 'X-Trace-Id', 'consul_connected'],
  ].filter((name) => !page.includes(name));
  t.deepEqual(missing, []);
});

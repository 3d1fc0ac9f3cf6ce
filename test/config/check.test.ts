import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { loadConfig } from '../../orchestrator/config/index.ts';
import { schemaFilePath, schemaFileText } from '../../orchestrator/config/json-schema.ts';

const root = new URL('../../', import.meta.url).pathname;

function check(path: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'orchestrator/config/check.ts'), path],
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
  });
}

test('the catalogue of the repository is valid: five servers, pinned and as documented', async (t) => {
  t.deepEqual(await check(join(root, 'gantry.yaml')), { code: 0, stdout: 'ok: 5 servers\n', stderr: '' });
  const loaded = loadConfig(await readFile(join(root, 'gantry.yaml'), 'utf8'), { baseDir: root });
  const servers = loaded.ok ? loaded.servers : [];
  t.deepEqual(
    servers.map(({ name, source }) => [name, source.kind === 'npm' ? source.version : source.kind]),
    [
      ['everything', '2026.8.31'],
      ['filesystem', '2026.8.31'],
      ['memory', '2026.8.31'],
      ['sequential-thinking', '2026.8.31'],
      ['clock', 'build'],
    ],
  );
  const clock = servers.find(({ name }) => name === 'clock');
  t.deepEqual([clock?.sharing, clock?.replicas], ['shared', 2]);
});

test('a wrong file exits 1 and prints every problem on a line of stderr', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'gantry-check-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'gantry.yaml');
  await writeFile(file, 'servers:\n  x: {npm: a@latest, replicaz: 2}\n');
  const { code, stdout, stderr } = await check(file);
  t.is(code, 1);
  t.is(stdout, '');
  const lines = stderr.trimEnd().split('\n');
  t.is(lines.length, 2);
  t.regex(lines[0] ?? '', /^gantry\.yaml:2:12 servers\.x\.npm: needs an exact version/);
  t.regex(
    lines[1] ?? '',
    /^gantry\.yaml:2:22 servers\.x\.replicaz: is not a known key\. Did you mean "replicas"\?/,
  );
});

test('a file that is missing or is not UTF-8 exits 1', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'gantry-check-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const missing = await check(join(directory, 'none.yaml'));
  t.is(missing.code, 1);
  t.regex(missing.stderr, /^none\.yaml cannot be read/);
  const latin = join(directory, 'latin.yaml');
  await writeFile(latin, Buffer.from([0x23, 0xe4, 0x0a]));
  t.is((await check(latin)).code, 1);
});

test('the committed schema is the one of this code (else: node orchestrator/config/json-schema.ts)', async (t) => {
  t.is(await readFile(schemaFilePath, 'utf8'), schemaFileText());
});

test('every key of the schema is described, for the editors that read it', (t) => {
  const bare: string[] = [];
  const look = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, inner] of Object.entries(node)) {
      if (key === 'properties') {
        for (const [name, field] of Object.entries(inner as Record<string, { description?: string }>)) {
          if (field.description === undefined) bare.push(`${path}.${name}`);
        }
      }
      look(inner, `${path}.${key}`);
    }
  };
  look(JSON.parse(schemaFileText()), '');
  t.deepEqual(bare, []);
});

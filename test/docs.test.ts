import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'ava';
import { entryJsonSchema, loadConfig } from '../orchestrator/config/index.ts';
import { fileJsonSchema } from '../orchestrator/config/json-schema.ts';
import { statusOf } from '../orchestrator/http/error-map.ts';
import type { ErrorCode } from '../orchestrator/kernel/index.ts';
import { startApp } from './http/ask.ts';

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
};

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/README.md',
  ...readdirSync(join(ROOT, 'docs')).map((file) => `docs/${file}`),
].filter((file) => file.endsWith('.md'));

/** The anchor of a heading, as the usual hosts of Markdown make it. */
function anchorOf(heading: string): string {
  const plain = heading.replaceAll(/[`*[\]]|\(.*?\)/g, '').toLowerCase();
  return plain
    .trim()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}

function anchorsOf(file: string): readonly string[] {
  return [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

function linksOf(file: string): readonly string[] {
  const text = read(file).replaceAll(/```[\s\S]*?```/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** Names of all keys of a schema, `resources.memory` and `tokens[].scopes` included. */
function keysOf(schema: Schema, before = ''): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const path = `${before}${name}`;
    const below = value.items === undefined ? keysOf(value, `${path}.`) : keysOf(value.items, `${path}[].`);
    // What only groups others is described by them.
    return value.properties === undefined ? [path, ...below] : below;
  });
}

/** Members of a union of literals, from its source: a type cannot be asked while the test runs. */
function literalsOf(file: string, type: string): readonly string[] {
  const source = read(file).replaceAll(/\/\*\*[\s\S]*?\*\//g, '');
  const union = new RegExp(`export type ${type} =([^;]*);`).exec(source)?.[1] ?? '';
  return [...union.matchAll(/'(\w+)'/g)].map(([, literal = '']) => literal);
}

/** What more than one row of a table is about. A first cell that lists names is about each of them. */
function doubledRows(file: string): readonly string[] {
  let seen = new Set<string>();
  return read(file)
    .split('\n')
    .flatMap((line) => {
      if (!line.startsWith('|')) seen = new Set();
      const cell = line.startsWith('|') ? (line.split('|')[1]?.trim() ?? '') : '';
      const names = /^`\w+`(?:, `\w+`)*$/.test(cell) ? cell.split(', ') : [cell];
      const again = names.filter((name) => name !== '' && seen.has(name));
      for (const name of names) seen.add(name);
      return again.map((name) => `${file}: ${name}`);
    });
}

function yamlBlocks(file: string): readonly string[] {
  return [...read(file).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
}

test('every relative link of the documentation leads somewhere, anchors included', (t) => {
  const broken = pages.flatMap((file) =>
    linksOf(file).filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : relative(ROOT, join(ROOT, dirname(file), path));
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    }),
  );
  t.deepEqual(broken, []);
  t.true(pages.flatMap(linksOf).length > 20, 'the test saw the links');
});

test('no table says the same thing in two rows, and every heading stands free', (t) => {
  // Elsewhere a merge has kept what both sides wrote; in these two the first column groups rows.
  const grouped = ['docs/conformance.md', 'docs/architecture.md'];
  const doubled = pages.filter((file) => !grouped.includes(file)).flatMap(doubledRows);
  t.deepEqual(doubled, []);
  t.deepEqual(
    doubledRows('docs/conformance.md').slice(0, 1),
    ['docs/conformance.md: 2025-11-25'],
    'they are seen',
  );
  const crowded = pages.flatMap((file) => {
    const text = read(file).replaceAll(/```[\s\S]*?```/g, '');
    return [...text.matchAll(/\S[^\n]*\n(#+ .+)$/gm)].map(([, heading]) => `${file}: ${heading}`);
  });
  t.deepEqual(crowded, []);
});

test('every page of docs can be reached from the README or the architecture page', (t) => {
  const reached = ['README.md', 'docs/architecture.md'].flatMap((file) =>
    linksOf(file).map((link) => relative(ROOT, join(ROOT, dirname(file), link.split('#')[0] ?? ''))),
  );
  const lost = pages.filter((file) => file.startsWith('docs/') && !reached.includes(file));
  t.deepEqual(lost, []);
});

test('the README is under 200 lines and its example of gantry.yaml is valid', (t) => {
  t.true(read('README.md').split('\n').length < 200);
  const [example = ''] = yamlBlocks('README.md');
  const loaded = loadConfig(example, { baseDir: ROOT });
  t.deepEqual(loaded.ok ? loaded.servers.map(({ name }) => name) : loaded.problems, ['filesystem', 'clock']);
});

test('every key of gantry.yaml is explained', (t) => {
  const text = read('docs/configuration.md');
  const keys = [...keysOf(fileJsonSchema()), ...keysOf(entryJsonSchema())];
  t.true(keys.length > 25, 'the test saw the keys');
  t.deepEqual(
    keys.filter((key) => key !== 'servers' && !text.includes(`\`${key}\``)),
    [],
  );
});

test('every setting of the stack is explained with its default', (t) => {
  const rows = read('docs/configuration.md').split('\n');
  const settings = [...read('compose/stack.env').matchAll(/^(GANTRY_\w+)=(.+)$/gm)];
  t.true(settings.length > 10, 'the test saw the settings');
  const missing = settings.filter(
    ([, name, value = '']) => !rows.some((row) => row.includes(`\`${name}\``) && row.includes(value)),
  );
  t.deepEqual(
    missing.map(([line]) => line),
    [],
  );
});

test('every route of the OpenAPI document is described with its method and scope', async (t) => {
  const { ask } = await startApp(t);
  const { paths } = (await ask('GET', '/openapi.json')).json as {
    paths: Record<string, Record<string, { security: readonly object[] }>>;
  };
  const rows = read('docs/api.md').split('\n');
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => {
      const scope = security.length === 0 ? 'none' : security.length === 1 ? 'admin' : 'call';
      return `| \`${method.toUpperCase()} ${path}\` | ${scope} |`;
    }),
  );
  t.deepEqual(
    routes.filter((start) => !rows.some((row) => row.startsWith(start))),
    [],
  );
});

test('every error a user can get is described with its status', (t) => {
  const codes = literalsOf('orchestrator/kernel/errors.ts', 'ErrorCode') as readonly ErrorCode[];
  t.true(codes.length > 25, 'the test saw the codes');
  const text = read('docs/api.md');
  const missing = codes
    // Its caller has left: nobody can get it.
    .filter((code) => code !== 'cancelled')
    .filter((code) => !text.includes(`| \`${code}\` | ${statusOf(code)} |`));
  t.deepEqual(missing, []);
});

test('every reason of a failed server is described, with what to do', (t) => {
  const codes = literalsOf('orchestrator/kernel/reason.ts', 'ReasonCode');
  t.true(codes.length > 10, 'the test saw the reasons');
  t.deepEqual(
    codes.filter((code) => !read('docs/api.md').includes(`| \`${code}\` |`)),
    [],
  );
  // These say themselves that nothing has to be done, or that only the log knows.
  const selfEvident = ['killed', 'stopped', 'internal'];
  const advised = read('docs/troubleshooting.md');
  t.deepEqual(
    codes.filter((code) => !selfEvident.includes(code) && !advised.includes(`| \`${code}\``)),
    [],
  );
});

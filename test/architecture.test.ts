import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import test from 'ava';

const ROOT = join(import.meta.dirname, '..', 'orchestrator');

/** The way of a request, from the client down; a room may import the face of the next one only. */
const WAY = ['http', 'session', 'routing', 'replica', 'channel', 'engine'];
const ANYWHERE = ['kernel', 'resilience'];
/** Rooms beside the way, and the faces they may use. */
const BESIDE: Record<string, readonly string[]> = {
  lifecycle: ['replica', 'engine'],
  config: [],
  registry: [],
  bus: [],
  telemetry: [],
  kernel: [],
  resilience: ['kernel'],
};
/** Libraries that only one room may know. */
const SOLE_IMPORTER: Record<string, string> = {
  dockerode: 'engine',
  ioredis: 'registry',
  'prom-client': 'telemetry',
  pino: 'telemetry',
  koa: 'http',
  '@koa/router': 'http',
  yaml: 'config',
};

/** A command of its own, and programs as text that run inside an image. */
const OTHER_PROGRAMS = [join('config', 'check.ts'), join('lifecycle', 'images', 'install-scripts.ts')];

type Import = { readonly file: string; readonly room: string; readonly target: string };

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = [
    ...text.matchAll(/(?:^|\n)(?:import|export)\b[^;'"]*?['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/g),
  ];
  return found.map((match) => ({ file, room: roomOf(file), target: match[1] ?? match[2] ?? '' }));
});

/** `main` for the files at the top: the composition root wires every room. */
function roomOf(file: string): string {
  return file.includes(sep) ? (file.split(sep)[0] ?? '') : 'main';
}

function resolved({ file, target }: Import): string {
  return relative(ROOT, join(ROOT, dirname(file), target));
}

test('a room imports only the face of the next room down, kernel and resilience aside', (t) => {
  const broken = imports.filter((entry) => {
    if (!entry.target.startsWith('.') || entry.room === 'main') return false;
    const target = resolved(entry);
    const room = roomOf(target);
    if (room === entry.room || room === '..') return false; // '..': the schema beside the code, no room
    if (ANYWHERE.includes(room)) return !(room === 'kernel' || entry.room !== 'kernel');
    const next = WAY[WAY.indexOf(entry.room) + 1];
    const allowed = WAY.includes(entry.room) ? [next] : (BESIDE[entry.room] ?? []);
    return !allowed.includes(room) || target !== join(room, 'index.ts');
  });
  t.deepEqual(broken, []);
  t.true(imports.length > 100, 'the test saw the imports');
});

test('every room is known to this test', (t) => {
  const rooms = new Set(imports.map((entry) => entry.room));
  const known = new Set(['main', ...WAY, ...Object.keys(BESIDE)]);
  t.deepEqual(
    [...rooms].filter((room) => !known.has(room)),
    [],
  );
});

test('a library that belongs to one room is imported there alone', (t) => {
  const broken = imports.filter(({ target, room }) => {
    const owner = SOLE_IMPORTER[target];
    return owner !== undefined && room !== owner;
  });
  t.deepEqual(broken, []);
});

test('only main reads the environment, handles signals and exits', (t) => {
  const broken = files.filter((file) => {
    const isEntry = roomOf(file) === 'main' || OTHER_PROGRAMS.includes(file);
    return !isEntry && /\bprocess\.(?:env|exit|on|once)\b/.test(readFileSync(join(ROOT, file), 'utf8'));
  });
  t.deepEqual(broken, []);
});

test('no import cycle', (t) => {
  const graph = new Map<string, string[]>();
  for (const entry of imports) {
    if (entry.target.startsWith('.'))
      graph.set(entry.file, [...(graph.get(entry.file) ?? []), resolved(entry)]);
  }
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' > '));
    if (path.includes(file) || done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  t.deepEqual(cycles, []);
});

test('no source file is longer than 250 lines', (t) => {
  const all = ['orchestrator', 'scripts', 'test', 'bench'].flatMap((folder) =>
    readdirSync(join(ROOT, '..', folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(?:ts|mjs|py)$/.test(file) && !file.includes('node_modules'))
      .map((file) => join(folder, file)),
  );
  const long = all.filter((file) => readFileSync(join(ROOT, '..', file), 'utf8').split('\n').length > 251);
  t.deepEqual(long, []);
  t.true(all.length > 500, 'the test saw the files');
});

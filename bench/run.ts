/** `npm run bench`: Gantry beside other gateways, and what its own parts cost. See bench/README.md. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './chapter.ts';
import { BenchEngine } from './engine.ts';
import { Gateway } from './gateway.ts';
import { haltPollNs, haltPollText } from './halt-polling.ts';
import { startMesh } from './mesh.ts';
import { OWN_CHAPTERS } from './own-chapters.ts';
import { SIDE_CHAPTERS } from './side-chapters.ts';
import { targetsOf, targetsTable } from './targets.ts';
import { writeDocs } from './write-docs.ts';

const ROOT = join(import.meta.dirname, '..');
const CHAPTERS = [...OWN_CHAPTERS, ...SIDE_CHAPTERS];
const FULL = { rounds: 5, warmUpMs: 4000, warmMs: 500, measureMs: 2000 };
const QUICK = { rounds: 3, warmUpMs: 1000, warmMs: 200, measureMs: 600 };

const isQuick = process.env.GANTRY_BENCH_QUICK === '1';
const usual = isQuick ? QUICK : FULL;
const pace = { ...usual, rounds: numberOf('GANTRY_BENCH_ROUNDS', usual.rounds) };
const only = process.env.GANTRY_BENCH_ONLY?.split(',') ?? null;
const unknown = only?.filter((name) => !CHAPTERS.some((chapter) => chapter.name === name)) ?? [];
if (unknown.length > 0) {
  say(
    `GANTRY_BENCH_ONLY: there is no ${unknown.join(', ')}; there is ${CHAPTERS.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(1);
}
const chosen = CHAPTERS.filter(({ name, isSlow }) =>
  only === null ? !(isQuick && isSlow) : only.includes(name),
);
const gateway = new Gateway(process.env, ROOT);
const needsMesh = chosen.some(({ needsEngine }) => needsEngine);
const stopMesh = needsMesh ? await startMesh(gateway, ROOT, say) : async () => {};
try {
  await measure();
} finally {
  await stopMesh();
}

async function measure(): Promise<void> {
  const project = process.env.GANTRY_BENCH_PROJECT ?? process.env.COMPOSE_PROJECT_NAME ?? 'gantry';
  const engine = !needsMesh || gateway.token === null ? null : await BenchEngine.find(project);
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    haltPollNs: haltPollNs(),
    /** Over the minute before: half the cores and more, and the figures tell about the machine as well. */
    load: loadOf(),
  };
  const command = [
    ...(isQuick ? ['GANTRY_BENCH_QUICK=1'] : []),
    `GANTRY_BENCH_ROUNDS=${pace.rounds}`,
    ...(only === null ? [] : [`GANTRY_BENCH_ONLY=${only.join(',')}`]),
    'npm run bench',
  ].join(' ');
  const { cpu, cores, memoryGib, node, load } = machine;
  const polls = haltPollText(machine.haltPollNs);
  const facts = [
    cpu,
    `${cores} cores`,
    `${memoryGib} GiB`,
    `Node ${node}`,
    ...(polls === null ? [] : [polls]),
  ];
  say(`${command}\n${facts.join(', ')}, load average ${load}`);
  const bench: Bench = { root: ROOT, gateway, engine, rounds: pace.rounds, pace, isQuick, say };
  const results: Record<string, unknown> = {};
  for (const chapter of chosen) {
    if (chapter.needsEngine && engine === null) {
      say(`\n${chapter.name}: not measured, it needs the admin token and the docker command of this stack.`);
      continue;
    }
    say(`\n== ${chapter.name}`);
    const measured = await chapter.measure(bench);
    if (measured === null) continue;
    results[chapter.name] = measured.result;
    say(`\n${measured.text}`);
  }
  const at = new Date().toISOString();
  const run = { at, command, machine: { ...machine, loadAtEnd: loadOf() }, pace, results };
  say(`\n${targetsTable(targetsOf(results))}`);
  const file = join(ROOT, 'bench', 'results', `${at.replaceAll(':', '-').slice(0, 19)}.json`);
  await mkdir(join(ROOT, 'bench', 'results'), { recursive: true });
  await writeFile(file, `${JSON.stringify(run, null, 2)}\n`);
  say(`\nRaw figures: ${file}`);
  if (process.argv.includes('--write-docs')) {
    await writeDocs(run, ROOT);
    say('The table and the picture in docs/ are of this run.');
  }
}

function loadOf(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10;
}

function numberOf(name: string, fallback: number): number {
  const value = Number(process.env[name] ?? fallback);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${name} must be a whole number above 0`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

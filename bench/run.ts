/** `npm run bench`: what the stack costs, measured against the same thing without it. See bench/README.md. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { measureBalanceCost } from './balance-cost.ts';
import { balanceCostTable } from './balance-report.ts';
import { measureCallCost } from './call-cost.ts';
import { measureCrashCost } from './crash-cost.ts';
import { measureDeployCost } from './deploy-cost.ts';
import { ECHO_SERVER } from './echo-server.ts';
import { BenchEngine } from './engine.ts';
import { measureFloodCost } from './flood-cost.ts';
import { Gateway } from './gateway.ts';
import { measureIdleCost } from './idle-cost.ts';
import { measureListCost } from './list-cost.ts';
import { measureMemoryCost } from './memory-cost.ts';
import { installOnHost } from './real-server.ts';
import {
  callCostTable,
  crashCostTable,
  deployCostTable,
  floodCostTable,
  idleCostTable,
  listCostTable,
  memoryCostTable,
  warmCostTable,
} from './report.ts';
import { measureWarmCost } from './warm-cost.ts';

const ROOT = join(import.meta.dirname, '..');
const ECHO = 'bench-echo';
const REAL = 'everything';
const SECTIONS = ['memory', 'idle', 'calls', 'lists', 'deploy', 'warm', 'crash', 'flood', 'balance'] as const;

type Section = (typeof SECTIONS)[number];

const rounds = numberOf('GANTRY_BENCH_ROUNDS', 5);
const sessions = numberOf('GANTRY_BENCH_SESSIONS', 20);
const wanted = new Set((process.env.GANTRY_BENCH_ONLY ?? SECTIONS.join(',')).split(','));
const gateway = new Gateway(process.env, ROOT);
const results: Partial<Record<Section, unknown>> = {};

if (!(await gateway.isUp())) {
  say(`No mesh is ready at ${gateway.url}. Start one with "npm start", or name another in GANTRY_BENCH_URL.`);
  process.exit(1);
}
const engine =
  gateway.token === null ? null : await BenchEngine.find(process.env.GANTRY_BENCH_PROJECT ?? 'gantry');
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGib: Math.round(totalmem() / 1024 ** 3),
  node: process.version,
  /** Over the minute before: half the cores and more, and the figures tell about the machine as well. */
  load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
};
const only = wanted.size < SECTIONS.length ? ` GANTRY_BENCH_ONLY=${[...wanted].join(',')}` : '';
const command = `GANTRY_BENCH_URL=${gateway.url} GANTRY_BENCH_ROUNDS=${rounds} GANTRY_BENCH_SESSIONS=${sessions}${only} npm run bench`;
say(
  `${command}\n${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Node ${machine.node}, load average ${machine.load}`,
);

if (engine === null) {
  say(
    '\nOnly the real server is measured: deploying needs the admin token and the docker command of this stack.',
  );
} else {
  for (const name of [ECHO, 'bench-deploy', 'bench-flood']) await gateway.remove(name); // of an interrupted run
  const entry = {
    image: engine.bridgeImage,
    command: ['node', '-e', ECHO_SERVER],
    maxSessions: sessions + 5,
  };
  await gateway.deploy(ECHO, entry);
}
try {
  await measure();
} finally {
  if (engine !== null) await gateway.remove(ECHO);
}
await save();

async function measure(): Promise<void> {
  // First, because memory that was used once is rarely given back.
  if (wanted.has('memory')) {
    const cost = await measureMemoryCost(gateway, engine === null ? REAL : ECHO, sessions);
    show('memory', cost, memoryCostTable(cost));
  }
  if (engine !== null && wanted.has('idle')) {
    const cost = await measureIdleCost(gateway, engine);
    show('idle', cost, idleCostTable(cost));
  }
  if (wanted.has('calls')) {
    const rows = [...(await echoCalls()), ...(await realCalls())];
    show('calls', rows, callCostTable(rows));
  }
  if (engine === null) return;
  if (wanted.has('lists')) {
    const cost = await measureListCost(gateway, engine);
    show('lists', cost, listCostTable(cost));
  }
  if (wanted.has('deploy')) {
    const cost = await measureDeployCost(gateway, engine, rounds);
    show('deploy', cost, deployCostTable(cost));
  }
  if (wanted.has('warm')) {
    const cost = await measureWarmCost(gateway, engine, rounds);
    show('warm', cost, warmCostTable(cost));
  }
  if (wanted.has('crash')) {
    const cost = await measureCrashCost(gateway, engine, rounds);
    show('crash', cost, crashCostTable(cost));
  }
  if (wanted.has('flood')) {
    const rows = await measureFloodCost(gateway, engine, ECHO, say);
    show('flood', rows, floodCostTable(rows));
  }
  if (wanted.has('balance')) {
    const cost = await measureBalanceCost(gateway, engine, rounds);
    show('balance', cost, balanceCostTable(cost));
  }
}

async function echoCalls() {
  if (engine === null) return [];
  const onHost = [process.execPath, '-e', ECHO_SERVER] as const;
  return await measureCallCost({ server: ECHO, command: [...onHost], gateway, rounds });
}

async function realCalls() {
  const npm = (await gateway.server(REAL))?.source.npm;
  if (npm === undefined) {
    say(`\nThe mesh has no npm server "${REAL}": not measured.`);
    return [];
  }
  const program = await installOnHost(npm, 'mcp-server-everything', ROOT);
  return await measureCallCost({
    server: REAL,
    command: [process.execPath, program, 'stdio'],
    gateway,
    rounds,
  });
}

function show(section: Section, result: unknown, text: string): void {
  results[section] = result;
  say(`\n${text}`);
}

async function save(): Promise<void> {
  const directory = join(ROOT, 'bench', 'results');
  const at = new Date().toISOString();
  const file = join(directory, `${at.replaceAll(':', '-').slice(0, 19)}.json`);
  await mkdir(directory, { recursive: true });
  await writeFile(file, `${JSON.stringify({ at, command, machine, rounds, results }, null, 2)}\n`);
  say(`\nRaw figures: ${file}`);
}

function numberOf(name: string, fallback: number): number {
  const value = Number(process.env[name] ?? fallback);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${name} must be a whole number above 0`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

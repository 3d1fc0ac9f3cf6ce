/** Writes the table of targets and the picture of a run into docs/: `node bench/write-docs.ts bench/results/<run>.json`. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BarGroup, barChart } from './chart.ts';
import { haltPollText } from './halt-polling.ts';
import { spreadOf } from './quantiles.ts';
import type { SideRow } from './side-by-side.ts';
import type { SessionsResult } from './side-chapters.ts';
import { sessionsTable, sideTable, titleOf } from './side-report.ts';
import { measuredText, type Results, targetsOf, verdictOf } from './targets.ts';

export type Run = {
  readonly at: string;
  readonly command: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGib: number;
    readonly node: string;
    readonly load: number;
    readonly loadAtEnd: number;
    readonly haltPollNs?: number | null;
  };
  readonly results: Results;
};

const PAGE = join('docs', 'performance.md');
const PICTURE = 'performance.svg';
const [BEGIN, END] = ['<!-- bench: written by npm run bench -- --write-docs -->', '<!-- /bench -->'];
const SIDE_CHAPTERS = ['echo', 'polling', 'open', 'sizes', 'progress', 'everything', 'eras'];

/** @throws Error when the page has lost its markers */
export async function writeDocs(run: Run, root: string): Promise<void> {
  const path = join(root, PAGE);
  const page = await readFile(path, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no "${BEGIN}" and "${END}".`);
  await writeFile(path, `${before}${BEGIN}\n${chapterText(run)}\n${END}${after}`);
  await writeFile(join(root, 'docs', PICTURE), barChart(barsOf(run.results)));
}

function chapterText({ at, command, machine, results }: Run): string {
  const { cpu, cores, memoryGib, node, load, loadAtEnd } = machine;
  const polls = haltPollText(machine.haltPollNs);
  const targets = targetsOf(results).map(
    (row) => `| ${row.what} | ${row.target} | ${measuredText(row)} | ${verdictOf(row)} |`,
  );
  const rows = SIDE_CHAPTERS.flatMap((name) => (results[name] ?? []) as readonly SideRow[]);
  const sessions = results.sessions as SessionsResult | undefined;
  return [
    `\`${command}\`, ${at.slice(0, 10)}: ${cpu}, ${cores} cores, ${memoryGib} GiB, Node ${node}${polls === null ? '' : `, ${polls}`}, load average ${load} at the`,
    `begin and ${loadAtEnd} at the end. Median of the rounds, least and most in brackets.`,
    '',
    '| what | target | measured | |',
    '| --- | --- | --- | --- |',
    ...targets,
    '',
    `![Calls a second and latencies beside others](${PICTURE})`,
    '',
    '```',
    sideTable(rows),
    '```',
    ...(sessions === undefined ? [] : ['', '```', sessionsTable(sessions), '```']),
  ].join('\n');
}

/** One group for each kind of work: throughput, or where the rate was given the 99th percentile. */
function barsOf(results: Results): readonly BarGroup[] {
  const rows = ['echo', 'open', 'sizes'].flatMap((name) => (results[name] ?? []) as readonly SideRow[]);
  return rows.map((row) => {
    const figure = row.perSecond !== null ? 'p99' : row.inFlight === 1 ? 'p50' : 'perSecond';
    // The pipe without HTTP is no gateway, and so far ahead that it would hide the others.
    const sides = Object.entries(row.sides).filter(([name]) => name !== 'pipe');
    return {
      title: titleOf(row),
      unit: figure === 'perSecond' ? 'calls/s' : `ms, ${figure === 'p99' ? '99th percentile' : 'median'}`,
      bars: sides.map(([label, rounds]) => ({
        label,
        value: spreadOf(rounds.map((round) => round[figure])).median,
        isOwn: label.startsWith('gantry'),
      })),
    };
  });
}

if (import.meta.main) {
  const file = process.argv[2];
  if (file === undefined) throw new Error('Name a file of bench/results/.');
  await writeDocs(JSON.parse(await readFile(file, 'utf8')) as Run, join(import.meta.dirname, '..'));
}

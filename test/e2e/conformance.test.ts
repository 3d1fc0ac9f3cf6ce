import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { baseUrl } from './harness.ts';
import { imageOf, makeServer, untilReady } from './own-server.ts';

/** The official suite, in the version that knows only sessions and in the one that knows both eras. */
const STABLE = '@modelcontextprotocol/conformance';
const NEXT = 'conformance-next';

type Expectation = {
  readonly suite: string;
  readonly args: readonly string[];
  /** What the fixture speaks: both eras, or only sessions like most servers. */
  readonly fixture?: 'both' | 'legacy';
  /** Scored scenarios: how many there are, and how many have to pass. */
  readonly scored: { readonly count: number; readonly atLeast: number };
  /** Scenarios that are not scored and have to pass all the same. */
  readonly besides?: readonly string[];
};

const conforms = test.macro(
  async (t, { suite, args, fixture = 'both', scored, besides = [] }: Expectation) => {
    t.timeout(400_000);
    // A server of its own: the suite ends none of its sessions, and they would be in the way of other tests.
    const env = fixture === 'legacy' ? { MCP_FIXTURE_ERA: 'legacy' } : {};
    const entry = { image: await imageOf('conformance'), maxSessions: 60, env };
    const name = await makeServer(t, 'suite', entry);
    await untilReady(name);
    const { passed, failed, unscored } = await runSuite(suite, `${baseUrl}/mcp/${name}`, args);
    const all = passed.length + failed.length;
    t.log(`${passed.length} of ${all} scored scenarios passed; failed: ${failed.join(', ') || 'none'}`);
    t.is(all, scored.count);
    t.true(passed.length >= scored.atLeast);
    for (const scenario of besides) t.true(unscored.includes(scenario), `${scenario}, not scored`);
  },
);

// One after the other: the suite's probes wait for fractions of a second.
test.serial('the official conformance suite 0.1.16 passes whole through the stack', conforms, {
  suite: STABLE,
  args: ['--suite', 'all'],
  scored: { count: 32, atLeast: 32 },
});

test.serial('the suite for 2025-11-25 passes whole through the stack', conforms, {
  suite: NEXT,
  args: ['--requirements', '2025-11-25'],
  scored: { count: 30, atLeast: 30 },
});

test.serial('the suite for 2026-07-28 passes whole with a server of both eras', conforms, {
  suite: NEXT,
  args: ['--requirements', '2026-07-28'],
  scored: { count: 37, atLeast: 37 },
  besides: ['http-header-validation', 'http-custom-header-server-validation'],
});

test.serial('the suite for 2026-07-28 passes but for two with a server that knows only sessions', conforms, {
  suite: NEXT,
  args: ['--requirements', '2026-07-28'],
  fixture: 'legacy',
  scored: { count: 37, atLeast: 35 },
  besides: ['http-header-validation', 'http-custom-header-server-validation'],
});

type Summary = {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** Of those that are not scored, the ones that passed. */
  readonly unscored: readonly string[];
};

/** Runs the suite to its end, whatever its exit code: it is the count that is judged. */
async function runSuite(suite: string, url: string, args: readonly string[]): Promise<Summary> {
  const directory = await mkdtemp(join(tmpdir(), 'gantry-conformance-'));
  try {
    const output = await run(await programOf(suite), ['server', '--url', url, ...args, '-o', directory]);
    const summary = output.slice(output.lastIndexOf('=== SUMMARY'));
    const [scored = '', rest = ''] = summary.split('Not scored');
    const named = (text: string, mark: string): string[] =>
      [...text.matchAll(/([✓✗]) ([\w-]+)/g)].flatMap(([, found, name]) =>
        found === mark && name ? [name] : [],
      );
    const apart = new Set([...named(rest, '✓'), ...named(rest, '✗')]);
    const judged = (mark: string): string[] => named(scored, mark).filter((name) => !apart.has(name));
    return { passed: judged('✓'), failed: judged('✗'), unscored: named(rest, '✓') };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Both versions call their program by the same name, so it is found by package. */
async function programOf(suite: string): Promise<string> {
  const root = join('node_modules', suite);
  const { bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    bin: { conformance: string };
  };
  return join(root, bin.conformance);
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    child.once('error', reject).once('close', () => resolve(output));
  });
}

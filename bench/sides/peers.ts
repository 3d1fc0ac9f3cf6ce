import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PipeClient } from '../pipe-client.ts';
import type { Work } from '../work.ts';
import { childSide } from './child-side.ts';
import type { Side } from './side.ts';

const BENCH = join(import.meta.dirname, '..');

/** The other gateways are dependencies of the bench alone: installed by its own lock file when they are first needed. */
export async function installPeers(say: (line: string) => void): Promise<void> {
  if (existsSync(join(BENCH, 'node_modules', '.package-lock.json'))) return;
  say('Installing the gateways to compare with (bench/package-lock.json) …');
  await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: BENCH });
}

/** What is measured beside Gantry, all on the host and without a container, in front of the same program. */
export async function startPeers(program: readonly string[], server: string): Promise<Side[]> {
  const line = program.map(quoted).join(' ');
  const bin = (name: string): string => join(BENCH, 'node_modules', '.bin', name);
  return [
    pipeSide(program, server),
    await startBaseline('bare-http', program, server),
    await childSide({
      name: 'supergateway',
      version: versionOf('supergateway'),
      path: '/mcp',
      server,
      command: (port) => [
        bin('supergateway'),
        ...['--outputTransport', 'streamableHttp', '--stateful', '--logLevel', 'none'],
        ...['--port', String(port), '--stdio', line],
      ],
    }),
    await childSide({
      name: 'mcp-proxy',
      version: versionOf('mcp-proxy'),
      path: '/mcp',
      server,
      command: (port) => [
        bin('mcp-proxy'),
        ...['--host', '127.0.0.1', '--port', String(port), '--server', 'stream', '--', ...program],
      ],
    }),
  ];
}

/** One of `bench/baselines/`. */
export function startBaseline(
  file: 'bare-http' | 'two-workers' | 'rooms',
  program: readonly string[],
  server: string,
): Promise<Side> {
  return childSide({
    name: file.replace('-', ' '),
    version: `(Node ${process.version})`,
    path: '/mcp/echo',
    server,
    command: (port) => [process.execPath, join(BENCH, 'baselines', `${file}.ts`), String(port), ...program],
  });
}

/** No HTTP: as many calls on one pipe as there are callers. */
function pipeSide(program: readonly string[], server: string): Side {
  const [command = '', ...args] = program;
  return {
    name: 'pipe',
    what: `pipe: a child of the bench, ${server}`,
    async open(callers) {
      const pipe = await PipeClient.open(command, args);
      let n = 0;
      const call = async (work: Work): Promise<void> => {
        const id = ++n;
        const answer = await pipe.call('tools/call', work.params(id));
        if (!work.isAnswered(Buffer.from(answer), id))
          throw new Error(`wrong answer: ${answer.slice(0, 300)}`);
      };
      return {
        callers: (work) => Array.from({ length: callers }, () => () => call(work)),
        close: () => pipe.close(),
      };
    },
    cpuSeconds: async () => null,
    residentBytes: () => null,
    close: async () => {},
  };
}

function versionOf(name: string): string {
  const text = readFileSync(join(BENCH, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** For a shell, as supergateway starts its server through one. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

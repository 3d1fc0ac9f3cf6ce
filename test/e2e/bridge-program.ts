import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SocketChannel } from '../../orchestrator/channel/index.ts';
import { replicaPlace } from '../channel/socket-bench.ts';
import { realEngine, testImage } from './real-engine.ts';

let program: Promise<string> | null = null;

/** The first process of bridge-image, as it lies in the image of the stack, on this host. It is static. */
export function bridgeProgram(): Promise<string> {
  program ??= (async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gantry-init-'));
    process.once('exit', () => rmSync(directory, { recursive: true, force: true })); // nothing async runs any more then
    const path = join(directory, 'gantry-init');
    await writeFile(path, await realEngine().images.readFile(testImage(), '/opt/gantry/gantry-init'));
    await chmod(path, 0o755);
    return path;
  })();
  return program;
}

export type Bridge = {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Its exit code, or the signal that ended it. */
  readonly over: Promise<number | NodeJS.Signals>;
};

/** Runs a shell script behind the real program, which connects to a place of its own. */
export function bridgedScript(script: string) {
  return bridgedProgram(['sh', '-c', script]);
}

/** The same with any program. */
export async function bridgedProgram(command: readonly string[]) {
  const place = await replicaPlace();
  const path = await bridgeProgram();
  return {
    ...place,
    /** @param env added to what the server gets */
    launch: (env: Record<string, string> = {}): Bridge => {
      const { PATH = '' } = process.env;
      const secret = place.secret.toString('hex');
      const child = spawn(path, ['--socket', join(place.directory, 'socket'), '--', ...command], {
        env: { PATH, GANTRY_CHANNEL_SECRET: secret, ...env },
        stdio: 'ignore',
      });
      const over = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
      if (child.pid === undefined) throw new Error('the bridge could not be started');
      return { process: child, pid: child.pid, over };
    },
  };
}

/** Of any process of this host. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Collects lines, and where each ends. */
export function collect(channel: SocketChannel): { readonly lines: string[]; readonly ends: number[] } {
  const seen = { lines: [] as string[], ends: [] as number[] };
  channel.onLine((line, end) => {
    seen.lines.push(line.toString());
    seen.ends.push(end);
  });
  return seen;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpSession } from '../load/http-session.ts';
import { cpuSecondsOf, treeResidentBytes } from './process-tree.ts';
import type { Side } from './side.ts';

const START_MS = 20_000;
const END_MS = 3_000;

export type ChildOptions = {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** The command line, given the port to listen on. */
  readonly command: (port: number) => readonly string[];
  /** The program behind it, in short, for the line that tells what ran. */
  readonly server: string;
};

/** A gateway that runs on the host, as a child of the bench. @throws Error when it does not come up */
export async function childSide({ name, version, path, command, server }: ChildOptions): Promise<Side> {
  const port = await freePort();
  const [file = '', ...args] = command(port);
  // In a group of its own: some leave their servers behind when they end.
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'ignore'], detached: true });
  const url = `http://127.0.0.1:${port}`;
  await listens(child, port, name);
  const shown = [file, ...args].map((arg) => (arg.length > 80 ? server : arg)).join(' ');
  return {
    name,
    what: `${name} ${version}: ${shown}`,
    open: (callers) => HttpSession.open({ url, path }, callers),
    cpuSeconds: async () => cpuSecondsOf(child.pid ?? 0),
    residentBytes: () => treeResidentBytes(child.pid ?? 0),
    async close() {
      const ended = once(child, 'exit');
      signal(child, 'SIGTERM');
      await Promise.race([ended, sleep(END_MS, null, { ref: false })]);
      signal(child, 'SIGKILL');
    },
  };
}

/** To the whole group. */
function signal({ pid }: ChildProcess, name: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // all of it has ended
  }
}

async function listens(child: ChildProcess, port: number, name: string): Promise<void> {
  const until = performance.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${name} ended with exit code ${child.exitCode}`);
    try {
      await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) });
      return;
    } catch (error) {
      if (performance.now() > until) throw new Error(`${name} does not listen`, { cause: error });
      await sleep(50);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

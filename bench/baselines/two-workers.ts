/**
 * What more processes than one would bring: the bare baseline once more, with two workers that speak HTTP and one owner
 * that has the program's pipe. Sessions, pins and counts of calls in flight have to be right across workers, so a call has
 * to be handed to whoever owns them and its answer back, over a unix socket, many lines in one write.
 *
 *   node bench/baselines/two-workers.ts <port> <command> [args...]
 */
import { spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';

type Message = { id?: string | number; method?: string };

const WORKERS = 2;
const [port = '0', command = '', ...args] = process.argv.slice(2);

if (cluster.isPrimary) own();
else serve(process.env.BENCH_OWNER ?? '');

/** Has the program and what would have to be right across workers. */
function own(): void {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  const path = join(directory, 'owner');
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<number, { readonly id: string | number; readonly worker: Socket }>();
  let lastId = 0;
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  process.once('SIGTERM', () => process.exit(0));
  child.once('exit', (code) => process.exit(code ?? 1));
  onLines(child.stdout, (line) => {
    const answer = JSON.parse(line) as { id?: number };
    const open = answer.id === undefined ? undefined : waiting.get(answer.id);
    if (answer.id === undefined || open === undefined) return;
    waiting.delete(answer.id);
    write(open.worker, JSON.stringify({ ...answer, id: open.id }));
  });
  createServer((worker) => {
    onLines(worker, (line) => {
      const message = JSON.parse(line) as Message;
      if (message.id === undefined) return write(child.stdin, line);
      const id = ++lastId;
      waiting.set(id, { id: message.id, worker });
      write(child.stdin, JSON.stringify({ ...message, id }));
    });
  }).listen(path, () => {
    for (let index = 0; index < WORKERS; index++) cluster.fork({ BENCH_OWNER: path });
  });
}

/** Speaks HTTP and knows nothing else. */
function serve(path: string): void {
  const owner = connect(path);
  const waiting = new Map<number, { readonly id: string | number; readonly response: ServerResponse }>();
  let lastId = 0;
  owner.once('close', () => process.exit(0));
  onLines(owner, (line) => {
    const answer = JSON.parse(line) as { id: number };
    const open = waiting.get(answer.id);
    if (open === undefined) return;
    waiting.delete(answer.id);
    const text = JSON.stringify({ ...answer, id: open.id });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    open.response.writeHead(200, headers).end(text);
  });
  createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const message = JSON.parse(Buffer.concat(chunks).toString()) as Message;
      if (message.id === undefined) {
        write(owner, JSON.stringify(message));
        return void response.writeHead(202).end();
      }
      const id = ++lastId;
      waiting.set(id, { id: message.id, response });
      write(owner, JSON.stringify({ ...message, id }));
    });
  }).listen(Number(port), '127.0.0.1');
}

/** Lines of one turn of the event loop leave together. */
function write(stream: Writable, line: string): void {
  if (stream.writableCorked === 0) {
    stream.cork();
    setImmediate(() => stream.uncork());
  }
  stream.write(`${line}\n`);
}

function onLines(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}

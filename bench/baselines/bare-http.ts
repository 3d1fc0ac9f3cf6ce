/**
 * The least that can stand between HTTP and the stdin of a program: `node:http`, one child, ids of its own, and the
 * answer's text as it came. No guards, no sessions, no limits, no container: what a gateway adds is measured against it.
 *
 *   node bench/baselines/bare-http.ts <port> <command> [args...]
 */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

type Message = { id?: string | number; method?: string };
type Waiting = { readonly id: string | number; readonly response: ServerResponse };

const [port = '0', command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
const waiting = new Map<number, Waiting>();
let lastId = 0;
let held: Buffer[] = [];

child.once('exit', (code) => process.exit(code ?? 1));
child.stdout.on('data', (bytes: Buffer) => {
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    held.push(bytes.subarray(start, end));
    take(held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held));
    held = [];
    start = end + 1;
  }
  if (start < bytes.length) held.push(bytes.subarray(start));
});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => post(request, response, Buffer.concat(chunks).toString()));
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));

function post(request: IncomingMessage, response: ServerResponse, body: string): void {
  if (request.method !== 'POST') return void response.writeHead(405).end();
  const message = JSON.parse(body) as Message;
  if (message.id === undefined) {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    return void response.writeHead(202).end();
  }
  const id = ++lastId;
  waiting.set(id, { id: message.id, response });
  child.stdin.write(`${JSON.stringify({ ...message, id })}\n`);
}

function take(line: Buffer): void {
  const answer = JSON.parse(line.toString()) as { id?: number };
  const open = answer.id === undefined ? undefined : waiting.get(answer.id);
  if (answer.id === undefined || open === undefined) return;
  waiting.delete(answer.id);
  const text = JSON.stringify({ ...answer, id: open.id });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  open.response.writeHead(200, headers).end(text);
}

import type { ExecutionContext } from 'ava';
import { api, containersOf, dockerInside, type Json, server, type ToolResult, textOf } from './harness.ts';
import { lastMessage, postMcp } from './mcp-session.ts';
import { readyServer } from './own-server.ts';
import type { RawAnswer } from './raw-http.ts';
import { until } from './until.ts';

/** A shared server of worker.py with all its replicas ready. */
export async function workers(t: ExecutionContext, replicas: number, entry: Json = {}): Promise<string> {
  const name = await readyServer(t, 'worker.py', { sharing: 'shared', replicas, data: '/data', ...entry });
  await allReady(name, replicas);
  return name;
}

export async function allReady(name: string, replicas: number): Promise<void> {
  const ready = async () => (await server(name)).replicas.ready === replicas;
  await until(`${replicas} replicas of ${name} are ready`, ready, { timeoutMs: 180_000 });
}

/** The host names of its containers, as the engine knows them. */
export async function hostsOf(name: string): Promise<string[]> {
  const containers = (await containersOf(name)).filter(({ state }) => state === 'ready');
  return containers.map(({ id }) => id.slice(0, 12)).sort();
}

/** A call over REST, whatever it is answered with. */
export function ask(name: string, tool: string, args: Json = {}): Promise<RawAnswer> {
  return api('POST', `/api/v1/servers/${name}/tools/${tool}`, { body: args, token: null });
}

/** The same of a client of MCP 2026-07-28. */
export async function askModern(name: string, tool: string, args: Json = {}): Promise<string> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { name: tool, arguments: args, _meta };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': tool };
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
  const { result, error } = lastMessage(await postMcp(name, body, headers));
  if (error !== undefined) throw new Error(JSON.stringify(error));
  return textOf(result);
}

export function resultOf(answer: RawAnswer): string {
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text.slice(0, 500)}`);
  return textOf(JSON.parse(answer.text) as ToolResult);
}

/** How often each of the texts came. */
export function tally(texts: readonly string[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const text of texts) counted[text] = (counted[text] ?? 0) + 1;
  return counted;
}

/** So many calls, always `inFlight` of them open; who answered each. */
export async function closedLoop(
  count: number,
  inFlight: number,
  call: () => Promise<string>,
): Promise<string[]> {
  const answers: string[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun++ < count) answers.push(await call());
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return answers;
}

/** The hosts that have begun a run, as the volume says: outside of every process that may have died. */
export async function runsOf(name: string, run: string): Promise<string[]> {
  const [container] = (await containersOf(name)).filter(({ state }) => state === 'ready');
  if (container === undefined) throw new Error(`${name} has no ready container`);
  const file = `/data/runs-${run}`;
  return (await dockerInside('exec', container.id, 'cat', file)).split('\n').filter((line) => line !== '');
}

import { request } from 'undici';
import { ECHO_SERVER } from './echo-server.ts';
import type { BenchEngine } from './engine.ts';
import type { Gateway } from './gateway.ts';
import { type Summary, summarize } from './quantiles.ts';

export type ListCost = {
  readonly servers: number;
  readonly tools: number;
  readonly bytes: number;
  /** Milliseconds from before the request is written until the list is parsed. */
  readonly session: Summary;
  readonly withoutSession: Summary;
};

const LISTS = 50;
const META = 'io.modelcontextprotocol/';

/** As many servers as the mesh that this one came from had. */
const SERVERS = 19;
/** The largest list that was seen: claude-flow's, of 353 tools and 263 kB. */
const LARGEST = { tools: 353, bytes: 263_000 };

/** Answers the handshake, and lists so many tools of one size. */
const LISTING_SERVER = `
const each = Math.floor(${LARGEST.bytes} / ${LARGEST.tools});
const tools = Array.from({ length: ${LARGEST.tools} }, (_, n) => {
  const tool = { name: 'tool_' + n, description: '', inputSchema: { type: 'object', properties: { a: { type: 'string' } } } };
  tool.description = 'x'.repeat(each - JSON.stringify(tool).length);
  return tool;
});
const greeting = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'l', version: '1' } };
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  if (id === undefined) return;
  const result = method === 'initialize' ? greeting : method === 'tools/list' ? { tools } : {};
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n');
});
`;

/**
 * The tools of all servers of the mesh through `/mcp`, one list after the other, nothing started for it. Nineteen
 * servers are added, one of them with a list as large as the largest.
 */
export async function measureListCost(gateway: Gateway, engine: BenchEngine): Promise<ListCost> {
  const names = Array.from({ length: SERVERS }, (_, index) => `bench-list-${index}`);
  try {
    for (const [index, name] of names.entries()) {
      const program = index === 0 ? LISTING_SERVER : ECHO_SERVER;
      await gateway.deploy(name, { image: engine.bridgeImage, command: ['node', '-e', program] });
    }
    return await measure(gateway, names);
  } finally {
    for (const name of names) await gateway.remove(name);
  }
}

async function measure(gateway: Gateway, names: readonly string[]): Promise<ListCost> {
  const client = new AllServers(gateway.url, await gateway.callToken());
  await client.open();
  let text = await client.list();
  // A server is ready a moment before it has listed.
  while (!names.every((name) => text.includes(`${name}__`))) text = await client.list();
  const { tools } = JSON.parse(text).result as { tools: readonly { name: string }[] };
  const cost = {
    servers: new Set(tools.map(({ name }) => name.split('__')[0])).size,
    tools: tools.length,
    bytes: Buffer.byteLength(text),
    session: await timed(() => client.list()),
    withoutSession: await timed(() => client.listWithoutSession()),
  };
  await client.end();
  return cost;
}

async function timed(list: () => Promise<string>): Promise<Summary> {
  const durationsMs: number[] = [];
  for (let n = 0; n < LISTS; n++) {
    const startedAt = performance.now();
    JSON.parse(await list());
    durationsMs.push(performance.now() - startedAt);
  }
  return summarize(durationsMs);
}

/** A client of `/mcp`, with a session and without. */
class AllServers {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #session: Record<string, string> = {};

  constructor(url: string, token: string | null) {
    this.#url = `${url}/mcp`;
    const kinds = 'application/json, text/event-stream';
    this.#headers = { 'content-type': 'application/json', accept: kinds };
    if (token !== null) this.#headers.authorization = `Bearer ${token}`;
  }

  async open(): Promise<void> {
    const clientInfo = { name: 'gantry-bench', version: '1.0.0' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    const { headers } = await this.#post({ method: 'initialize', params }, {});
    this.#session = { 'mcp-session-id': String(headers['mcp-session-id']) };
  }

  async list(): Promise<string> {
    return (await this.#post({ method: 'tools/list' }, this.#session)).text;
  }

  async listWithoutSession(): Promise<string> {
    const _meta = { [`${META}protocolVersion`]: '2026-07-28', [`${META}clientCapabilities`]: {} };
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
    return (await this.#post({ method: 'tools/list', params: { _meta } }, headers)).text;
  }

  async end(): Promise<void> {
    const { body } = await request(this.#url, {
      method: 'DELETE',
      headers: { ...this.#headers, ...this.#session },
    });
    await body.dump();
  }

  async #post(message: object, more: Record<string, string>) {
    const { body, headers, statusCode } = await request(this.#url, {
      method: 'POST',
      headers: { ...this.#headers, ...more },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${this.#url} answered ${statusCode}: ${text.slice(0, 300)}`);
    return { text, headers };
  }
}

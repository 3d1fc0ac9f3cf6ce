import { request } from 'undici';
import type { Gateway } from './gateway.ts';
import { HttpClient } from './http-client.ts';
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

/** The tools of all servers of the mesh through `/mcp`, one list after the other, nothing started for it. */
export async function measureListCost(gateway: Gateway): Promise<ListCost> {
  const token = await gateway.callToken();
  const client = await HttpClient.open({ url: gateway.url, server: '@all', connections: 1, token });
  try {
    const text = await client.list();
    const { tools } = JSON.parse(text).result as { tools: readonly { name: string }[] };
    return {
      servers: new Set(tools.map(({ name }) => name.split('__')[0])).size,
      tools: tools.length,
      bytes: Buffer.byteLength(text),
      session: await timed(() => client.list()),
      withoutSession: await timed(() => modernList(gateway.url, token)),
    };
  } finally {
    await client.close();
  }
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

async function modernList(url: string, token: string | null): Promise<string> {
  const _meta = { [`${META}protocolVersion`]: '2026-07-28', [`${META}clientCapabilities`]: {} };
  const { body, statusCode } = await request(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta } }),
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`tools/list of all servers: ${statusCode} ${text}`);
  return text;
}

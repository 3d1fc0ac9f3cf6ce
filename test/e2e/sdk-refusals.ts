import { baseUrl, type Json } from './harness.ts';
import { lastMessage, openSession, postMcp } from './mcp-session.ts';
import { rawRequest } from './raw-http.ts';
import { join, type Row, VERSION_OF } from './sdk-row.ts';

const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION_OF.modern,
  'io.modelcontextprotocol/clientCapabilities': {},
};
const URI = { uri: 'test://watched-resource' };
/** Removed by 2026-07-28. */
const LEGACY_ONLY: Readonly<Record<string, Json>> = {
  initialize: {},
  ping: {},
  'logging/setLevel': { level: 'info' },
  'resources/subscribe': URI,
  'resources/unsubscribe': URI,
};
/** Added by it. */
const MODERN_ONLY: Readonly<Record<string, Json>> = {
  'server/discover': {},
  'subscriptions/listen': { notifications: { toolsListChanged: true } },
};

/** What the revision of this client does not have: it cannot have it through the client, nor past it. */
export async function refusals(row: Row): Promise<void> {
  const { client } = await join(row);
  for (const [what, ask] of Object.entries(client.missing)) await row.t.throwsAsync(ask(), undefined, what);
  await (row.sdk.era === 'modern' ? withoutSession(row) : inSession(row));
}

async function withoutSession({ t, name }: Row): Promise<void> {
  for (const [method, params] of Object.entries(LEGACY_ONLY)) {
    const body = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } };
    const headers = { 'mcp-protocol-version': VERSION_OF.modern, 'mcp-method': method };
    const answer = await postMcp(name, body, headers);
    t.is(answer.status, 404, method);
    t.is(lastMessage(answer).error?.code, -32601, method);
    t.is(answer.headers['mcp-session-id'], undefined, method);
  }
  for (const method of ['GET', 'DELETE']) {
    const headers = { 'mcp-protocol-version': VERSION_OF.modern, accept: 'text/event-stream' };
    const answer = await rawRequest(new URL(`/mcp/${name}`, baseUrl), { method, headers });
    t.is(answer.status, 405, method);
  }
}

/** It is the server that refuses here, in its own words: Gantry passes on what a session says. */
async function inSession({ t, name }: Row): Promise<void> {
  const session = await openSession(t, name);
  for (const [method, params] of Object.entries(MODERN_ONLY)) {
    const answer = await session.post({ jsonrpc: '2.0', id: method, method, params });
    t.is(answer.status, 200, method);
    t.true([-32601, -32602].includes(lastMessage(answer).error?.code ?? 0), method);
  }
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  t.is((await postMcp(name, call, { 'mcp-protocol-version': VERSION_OF.legacy })).status, 400);
}

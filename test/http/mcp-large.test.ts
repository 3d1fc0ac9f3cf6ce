import test from 'ava';
import { request } from 'undici';
import { startMcp } from './mcp-app.ts';

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

test('a large result reaches the client byte for byte, in one answer of the right length', async (t) => {
  const app = await startMcp(t);
  const headers = { ...HEADERS, ...(await app.open('2025-11-25')) };
  const [played] = app.pools.opened;
  // White space, numbers beyond 2^53 and two ways to write a letter: what parsing and writing again would change.
  const result = `{ "n": 9007199254740993, "text" : "${'größer \\u00e4 '.repeat(40_000)}" }`;
  if (played === undefined) return t.fail('no replica was opened');
  played.channel.onSent = ({ id }) => played.channel.print(`{"jsonrpc":"2.0","result":${result},"id":${id}}`);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'größer', method: 'tools/list' });
  const answer = await request(`${app.url}/mcp/echo`, { method: 'POST', headers, body });
  const text = await answer.body.text();
  t.is(text, `{"jsonrpc":"2.0","id":"größer","result":${result}}`);
  t.is(answer.headers['content-length'], String(Buffer.byteLength(text)));
});

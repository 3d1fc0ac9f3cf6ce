import { request } from 'node:http';
import type { ExecutionContext } from 'ava';
import { mcpError, mcpRoute, sseRoute } from '../../orchestrator/http/index.ts';
import type { ServerSpec } from '../../orchestrator/kernel/index.ts';
import {
  type EncodeError,
  Endpoints,
  MemoryEventLog,
  Sessions,
  SseSessions,
  StatelessAggregates,
  StatelessCalls,
} from '../../orchestrator/session/index.ts';
import { fakeAuth } from '../fakes/controls.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakePools, TEST_SPEC } from '../fakes/fake-pools.ts';
import { testAggregates } from '../fakes/test-endpoints.ts';
import { testRouter } from '../fakes/test-router.ts';
import { type Asked, startApp } from './ask.ts';

export type SseEvent = { readonly id?: string; readonly event?: string; readonly data: string };

/** The app with real sessions over played processes: what a client of the server `echo` meets. */
export async function startMcp(t: ExecutionContext, spec: ServerSpec = TEST_SPEC, tokens = false) {
  const pools = new FakePools(spec);
  const clock = new FakeClock();
  const router = testRouter(pools);
  const encodeError: EncodeError = (id, error) => JSON.stringify(mcpError(error, id).body);
  const aggregates = testAggregates(router, pools);
  const endpoints = new Endpoints({ router, clock, aggregates });
  const sessions = new Sessions({
    endpoints,
    clock,
    facts: pools.facts,
    encodeError,
    log: new MemoryEventLog({ clock }),
  });
  const calls = new StatelessCalls({ router, clock, facts: pools.facts, encodeError });
  const stateless = new StatelessAggregates({ aggregates, calls, encodeError });
  const sseSessions = new SseSessions({ sessions, clock, encodeError });
  const checkServer = (name: string): void => endpoints.check(name);
  const app = await startApp(t, {
    auth: fakeAuth(tokens),
    mcp: mcpRoute({ sessions, stateless, maxBodyBytes: 64 * 1024, checkServer }),
    sse: sseRoute({ sseSessions, maxBodyBytes: 64 * 1024, checkServer }),
  });
  t.teardown(() => {
    sessions.close();
    stateless.drain();
    calls.close();
    aggregates.close();
    sseSessions.close();
  });

  const post = (body: unknown, headers: Record<string, string> = {}): Promise<Asked> =>
    app.ask('POST', '/mcp/echo', { headers, ...(typeof body === 'string' ? { text: body } : { body }) });
  const open = async (protocolVersion: string): Promise<Record<string, string>> => {
    const answer = await post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion } });
    return { 'mcp-session-id': String(answer.headers['mcp-session-id']) };
  };
  return { ...app, pools, clock, sessions, post, open };
}

/** An answer that is read event by event, and that its reader can leave. */
export async function openEvents(
  port: number,
  method: string,
  path: string,
  options: { readonly headers?: Record<string, string>; readonly body?: unknown } = {},
) {
  const text = options.body === undefined ? undefined : JSON.stringify(options.body);
  const headers = {
    ...(text === undefined ? {} : { 'content-type': 'application/json' }),
    ...options.headers,
  };
  const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve).once('error', reject);
    asked.end(text);
  });
  const events = readEvents(response);
  return {
    status: response.statusCode ?? 0,
    next: async (): Promise<SseEvent | null> => (await events.next()).value ?? null,
    /** Everything until the stream ends. */
    rest: async (): Promise<SseEvent[]> => {
      const all: SseEvent[] = [];
      for await (const event of events) all.push(event);
      return all;
    },
    leave: (): void => void asked.destroy(),
  };
}

async function* readEvents(response: AsyncIterable<Buffer>): AsyncGenerator<SseEvent, undefined> {
  let text = '';
  for await (const chunk of response) {
    text += chunk.toString();
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== null) yield event;
    }
  }
}

/** Null for a comment. */
function eventOf(block: string): SseEvent | null {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
    }),
  );
  return 'data' in fields ? (fields as SseEvent) : null;
}

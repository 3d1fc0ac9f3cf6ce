import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';

type Message = {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number };
};

/** The fixture as a child: messages in, messages out, in the order they are read. */
function start(t: ExecutionContext): {
  send(message: object): void;
  next(): Promise<Message>;
  child: ChildProcess;
} {
  const child = spawn('node', ['test/fixtures/conformance/server.mjs'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  t.teardown(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    send: (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
    next: async () => JSON.parse((await lines.next()).value as string) as Message,
  };
}

const initialize = (capabilities: object) => ({
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities, clientInfo: { name: 'test', version: '1' } },
});
const modern = (capabilities: object) => ({
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': capabilities,
});

test('the conformance fixture serves a session of an older revision', async (t) => {
  const { send, next } = start(t);
  send(initialize({}));
  t.like(await next(), { id: 0, result: { protocolVersion: '2025-06-18' } });
  send({ id: 1, method: 'tools/list' });
  const tools = (await next()).result?.tools as { name: string }[];
  t.is(tools.length, 38);
  send({
    id: 2,
    method: 'tools/call',
    params: { name: 'test_tool_with_progress', _meta: { progressToken: 'p' } },
  });
  for (const progress of [0, 50, 100]) t.like(await next(), { params: { progressToken: 'p', progress } });
  t.is((await next()).id, 2);
  send({ id: 3, method: 'resources/read', params: { uri: 'test://nowhere' } });
  t.is((await next()).error?.code, -32002);
});

test('the conformance fixture asks the client of a session and shows what it said', async (t) => {
  const { send, next } = start(t);
  send(initialize({ sampling: {} }));
  await next();
  send({ id: 1, method: 'tools/call', params: { name: 'test_sampling', arguments: { prompt: 'x' } } });
  const question = await next();
  t.is(question.method, 'sampling/createMessage');
  send({
    id: question.id,
    result: { role: 'assistant', model: 'm', content: { type: 'text', text: 'said' } },
  });
  t.like(await next(), { id: 1, result: { content: [{ text: 'LLM response: said' }] } });
});

test('the conformance fixture serves the revision without sessions, input in several rounds included', async (t) => {
  const { send, next } = start(t);
  const call = (id: number, more: object) =>
    send({
      id,
      method: 'tools/call',
      params: {
        name: 'test_input_required_result_request_state',
        _meta: modern({ elicitation: {} }),
        ...more,
      },
    });
  call(1, {});
  const first = (await next()).result;
  t.is(first?.resultType, 'input_required');
  const inputResponses = { confirm: { action: 'accept', content: { ok: true } } };
  call(2, { inputResponses, requestState: first?.requestState });
  t.like(await next(), { id: 2, result: { resultType: 'complete', content: [{ text: 'state-ok' }] } });
  call(3, { inputResponses, requestState: `x${String(first?.requestState)}` });
  t.is((await next()).error?.code, -32602);
});

test('the conformance fixture stops a cancelled call and exits when stdin closes', async (t) => {
  const { send, next, child } = start(t);
  send(initialize({}));
  await next();
  send({ id: 1, method: 'tools/call', params: { name: 'bridge_sleep', arguments: { ms: 60_000 } } });
  send({ method: 'notifications/cancelled', params: { requestId: 1 } });
  send({ id: 2, method: 'tools/call', params: { name: 'bridge_stats' } });
  const { content } = (await next()).result as { content: { text: string }[] };
  t.is(JSON.parse(content[0]?.text ?? '').cancelled, 1);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  t.is(await exited, 0);
});

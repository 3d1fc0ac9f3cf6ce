import test from 'ava';
import { containerSpec } from '../fakes/container-spec.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';
import { type McpProcessOptions, mcpProgram } from '../fakes/mcp-process.ts';

/** A started fake MCP server; `next` is its next message, in order. */
async function startServer(options: McpProcessOptions = {}) {
  const engine = new FakeEngine({ programs: { mcp: mcpProgram(options) } });
  const id = await engine.create(containerSpec({ image: 'mcp' }));
  const attachment = await engine.attach(id);
  const messages: Record<string, unknown>[] = [];
  let woken = Promise.withResolvers<void>();
  attachment.onStdout((bytes) => {
    for (const line of bytes.toString().trim().split('\n')) messages.push(JSON.parse(line));
    woken.resolve();
    woken = Promise.withResolvers<void>();
  });
  await engine.start(id);
  const send = (message: object) => attachment.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const next = async () => {
    while (messages.length === 0) await woken.promise;
    return messages.shift();
  };
  return { engine, id, attachment, send, next };
}

test('the fake server shakes hands in the version it was asked for, and lists its tools', async (t) => {
  const { send, next } = await startServer();
  await send({ id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18' } });
  t.like(await next(), { id: 0, result: { protocolVersion: '2025-06-18' } });
  await send({ id: 1, method: 'tools/list' });
  const list = (await next()) as { result: { tools: { name: string }[] } };
  t.true(list.result.tools.some(({ name }) => name === 'echo'));
});

test('a tool of the fake server can ask its client, and uses the answer', async (t) => {
  const { send, next } = await startServer();
  await send({ id: 1, method: 'tools/call', params: { name: 'ask', arguments: { prompt: 'hi' } } });
  const question = await next();
  t.like(question, { method: 'sampling/createMessage' });
  await send({ id: question?.id, result: { role: 'assistant' } });
  t.like(await next(), { id: 1, result: { content: [{ text: '{"role":"assistant"}' }] } });
});

test('a crash of the fake server is an exit with the code that was asked for', async (t) => {
  const { engine, id, attachment, send } = await startServer();
  await send({ id: 1, method: 'tools/call', params: { name: 'crash', arguments: { code: 7 } } });
  await attachment.closed;
  t.like((await engine.inspect(id))?.exit, { reason: 'exited', code: 7 });
});

test('progress of the fake server carries the token of the call', async (t) => {
  const { send, next } = await startServer();
  const params = { name: 'sleep', arguments: { ms: 2, steps: 2 }, _meta: { progressToken: 'p' } };
  await send({ id: 1, method: 'tools/call', params });
  t.like(await next(), { method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } });
  t.like(await next(), { method: 'notifications/progress', params: { progressToken: 'p', progress: 2 } });
  t.like(await next(), { id: 1, result: { content: [{ text: 'slept' }] } });
});

test('an engine that goes down breaks attachments and answers nothing until it is back', async (t) => {
  const { engine, attachment } = await startServer();
  engine.goDown();
  t.is((await attachment.closed).error?.message, 'connection reset');
  await t.throwsAsync(engine.ping(), { code: 'engine_unavailable' });
  engine.comeBack();
  await t.notThrowsAsync(engine.ping());
});

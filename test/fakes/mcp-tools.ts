import type { Json, McpPeer } from './mcp-process.ts';

/** `null`: no answer. */
type Answer = { readonly result: Json } | { readonly error: Json } | null;

type FakeTool = {
  readonly tool: Json;
  readonly run: (args: Json, peer: McpPeer, meta: Json) => Promise<Answer> | Answer;
};

/** The tools of the fake MCP server, each made to show one behaviour of real ones. */
export const mcpTools: Readonly<Record<string, FakeTool>> = {
  echo: tool('echo', 'Answers with `message`', (args) => text(String(args.message))),
  whoami: tool('whoami', 'Names the process that answers', (_args, peer) => text(peer.instance)),
  sleep: tool('sleep', 'Answers after `ms`, reporting progress `steps` times', sleep),
  hang: tool('hang', 'Never answers, unless it is cancelled', async (_args, peer) => {
    await peer.cancelled;
    return null;
  }),
  crash: tool('crash', 'Exits with `code`, after writing `stderr`', (args, peer) => {
    if (typeof args.stderr === 'string') peer.io.stderr(`${args.stderr}\n`);
    peer.io.exit(Number(args.code ?? 1));
    return null;
  }),
  hog: tool('hog', 'Outgrows its memory', (_args, peer) => {
    peer.io.outOfMemory();
    return null;
  }),
  ask: tool('ask', 'Asks the client for a sampling with `prompt`', async (args, peer) => {
    const content = { type: 'text', text: String(args.prompt) };
    const messages = [{ role: 'user', content }];
    const answer = await peer.ask('sampling/createMessage', { messages, maxTokens: 100 });
    return text(JSON.stringify(answer.result ?? answer.error));
  }),
  fail: tool('fail', 'Answers with isError', () => ({
    result: { content: [{ type: 'text', text: 'it failed' }], isError: true },
  })),
  refuse: tool('refuse', 'Answers with a JSON-RPC error', () => ({
    error: { code: -32050, message: 'refused', data: { why: 'as asked' } },
  })),
  log: tool('log', 'Sends a log notification with `message`, then answers', (args, peer) => {
    peer.notify('notifications/message', { level: 'info', data: String(args.message) });
    return text('logged');
  }),
  garbage: tool('garbage', 'Prints the line `line` before it answers', (args, peer) => {
    peer.io.stdout(`${String(args.line ?? 'not json')}\n`);
    return text('printed');
  }),
  big: tool('big', 'Answers with `bytes` letters', (args) => text('x'.repeat(Number(args.bytes)))),
  stderr: tool('stderr', 'Writes `text` to stderr', (args, peer) => {
    peer.io.stderr(`${String(args.text)}\n`);
    return text('written');
  }),
};

function tool(name: string, description: string, run: FakeTool['run']): FakeTool {
  return { tool: { name, description, inputSchema: { type: 'object' } }, run };
}

function text(value: string): Answer {
  return { result: { content: [{ type: 'text', text: value }] } };
}

/** A tool that takes its time, in steps that are told, unless it is cancelled. */
async function sleep(args: Json, peer: McpPeer, meta: Json): Promise<Answer> {
  const steps = Number(args.steps ?? 1);
  const stepMs = Number(args.ms ?? 0) / steps;
  for (let step = 1; step <= steps; step++) {
    const { promise, resolve } = Promise.withResolvers<'slept'>();
    const timer = setTimeout(() => resolve('slept'), stepMs);
    const why = await Promise.race([promise, peer.cancelled.then(() => 'cancelled' as const)]);
    clearTimeout(timer);
    if (why === 'cancelled' || peer.io.exited) return null;
    const progressToken = meta.progressToken;
    if (progressToken !== undefined && steps > 1) {
      peer.notify('notifications/progress', { progressToken, progress: step, total: steps });
    }
  }
  return text('slept');
}

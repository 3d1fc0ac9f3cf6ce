import test, { type ExecutionContext } from 'ava';
import type { Json } from './harness.ts';
import { inspect } from './inspect.ts';
import { addServer, removeServer, untilReady } from './own-server.ts';
import { VERSION_OF } from './sdk-row.ts';
import { EVERYTHING } from './sdk-target.ts';

/** How the inspector ends (its own documentation). */
const OK = 0;
const FAILED = 1;
const TOOL_ERROR = 5;

const DOCUMENT = 'demo://resource/static/document/features.md';

/** What is asked, how the inspector ends, and what it prints: a result, or the code of an error. */
type Asked = {
  readonly args: readonly string[];
  readonly exit: number;
  readonly prints: Json;
};

const call = (...args: string[]): string[] => ['tools/call', '--tool-name', ...args];

const ASKED: Readonly<Record<string, Asked>> = {
  'tools/list': { args: ['tools/list'], exit: OK, prints: { result: { tools: [{ name: 'echo' }] } } },
  'tools/call with an argument': {
    args: call('echo', '--tool-arg', 'message=hi'),
    exit: OK,
    prints: { result: { content: [{ type: 'text', text: 'Echo: hi' }] } },
  },
  'tools/call with arguments in JSON': {
    args: call('get-sum', '--tool-args-json', '{"a":2,"b":3}'),
    exit: OK,
    prints: { result: { content: [{ text: 'The sum of 2 and 3 is 5.' }] } },
  },
  'a tool that reports an error': {
    args: call('get-sum', '--tool-args-json', '{"a":2}'),
    exit: TOOL_ERROR,
    prints: { error: { code: 'tool_is_error' } },
  },
  'an unknown tool': {
    args: call('no-such-tool'),
    exit: TOOL_ERROR,
    prints: { error: { code: 'tool_not_found' } },
  },
  'prompts/list': {
    args: ['prompts/list'],
    exit: OK,
    prints: { result: { prompts: [{ name: 'simple-prompt' }] } },
  },
  'prompts/get': {
    args: ['prompts/get', '--prompt-name', 'args-prompt', '--prompt-args', 'city=Bern'],
    exit: OK,
    prints: { result: { messages: [{ role: 'user', content: { text: "What's weather in Bern?" } }] } },
  },
  'resources/list': {
    args: ['resources/list'],
    exit: OK,
    prints: { result: { resources: [{ name: 'architecture.md', mimeType: 'text/markdown' }] } },
  },
  'resources/read': {
    args: ['resources/read', '--uri', DOCUMENT],
    exit: OK,
    prints: { result: { contents: [{ uri: DOCUMENT, mimeType: 'text/markdown' }] } },
  },
  'an unknown resource': {
    args: ['resources/read', '--uri', 'demo://no-such-resource'],
    exit: FAILED,
    prints: { error: { message: 'MCP error -32602: Resource demo://no-such-resource not found' } },
  },
};

// A server of its own: the inspector ends none of its sessions.
let name = '';
test.before(async () => {
  name = await addServer('inspected', { ...(await EVERYTHING.entry()), maxSessions: 40 });
  await untilReady(name);
});
test.after.always(() => removeServer(name));

for (const era of ['legacy', 'modern'] as const) {
  const ask = async (t: ExecutionContext, { args, exit, prints }: Asked): Promise<void> => {
    const ended = await inspect(name, ['--protocol-era', era, '--method', ...args]);
    t.is(ended.exit, exit, ended.stderr);
    t.like(JSON.parse(exit === OK ? ended.stdout : ended.stderr), prints);
  };
  test.serial(`inspector ${era}: initialize`, async (t) => {
    const serverInfo = { name: EVERYTHING.serverName };
    const prints = { result: { protocolVersion: VERSION_OF[era], serverInfo } };
    await ask(t, { args: ['initialize'], exit: OK, prints });
  });
  for (const [title, asked] of Object.entries(ASKED)) {
    test.serial(`inspector ${era}: ${title}`, (t) => ask(t, asked));
  }
}

test.serial('inspector: a server that does not exist is an error in the words of Gantry', async (t) => {
  const ended = await inspect('no-such-server', ['--method', 'tools/list']);
  t.is(ended.exit, FAILED);
  t.regex(ended.stderr, /There is no server named no-such-server/);
});

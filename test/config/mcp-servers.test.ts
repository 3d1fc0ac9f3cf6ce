import test from 'ava';
import { loadConfig } from '../../orchestrator/config/index.ts';
import { convertMcpServer } from '../../orchestrator/config/mcp-servers.ts';
import { pathText } from '../../orchestrator/config/problem.ts';

const converts = test.macro({
  exec(t, raw: unknown, entry: Record<string, unknown>) {
    t.deepEqual(convertMcpServer(raw), { entry, findings: [] });
  },
  title: (_, raw) => `${JSON.stringify(raw)} is converted`,
});

test(converts, { command: 'npx', args: ['x'] }, { npm: 'x' });
test(
  converts,
  { command: 'npx', args: ['-y', '@a/x@1.0.0', 'stdio', '-v'] },
  { npm: '@a/x@1.0.0', args: ['stdio', '-v'] },
);
test(converts, { command: 'npx', args: ['--yes', '@a/x@latest'] }, { npm: '@a/x' });
test(
  converts,
  { type: 'stdio', command: 'npx', args: ['x'], env: { K: 'v' } },
  { npm: 'x', env: { K: 'v' } },
);
test(
  converts,
  { command: 'npx', args: ['x', '/tmp/y', '--out=/dev/null'] },
  { npm: 'x', args: ['/tmp/y', '--out=/dev/null'] },
);
test(converts, { command: 'uvx', args: ['x'] }, { pypi: 'x' });
test(converts, { command: 'uvx', args: ['x==1.0', 'a'] }, { pypi: 'x==1.0', args: ['a'] });
test(converts, { command: 'uvx', args: ['x@1.0'] }, { pypi: 'x==1.0' });
test(converts, { command: 'uvx', args: ['x@latest'] }, { pypi: 'x' });
test(converts, { command: 'docker', args: ['run', 'a/b'] }, { image: 'a/b' });
test(
  converts,
  {
    command: 'docker',
    args: ['run', '-i', '--rm', '--init', '-e', 'A=1=2', '-e', 'B=', 'a/b:1', '-v', '/x'],
    env: { C: '3' },
  },
  { image: 'a/b:1', args: ['-v', '/x'], env: { C: '3', A: '1=2', B: '' } },
);

const refused = test.macro<[raw: unknown, ...expected: RegExp[]]>({
  exec(t, raw: unknown, ...expected: RegExp[]) {
    const { entry, findings } = convertMcpServer(raw);
    const texts = findings.map(({ path, message }) => `${pathText(path)}|${message}`);
    t.is(entry, null);
    for (const pattern of expected)
      t.true(
        texts.some((text) => pattern.test(text)),
        `${texts} ~ ${pattern}`,
      );
    t.is(texts.length, expected.length, texts.join('\n'));
  },
  title: (_, raw) => `${JSON.stringify(raw)} is refused`,
});

test(refused, 'npx x', /must be a map/);
test(refused, {}, /^command\|is required/);
for (const key of ['valueOf', 'constructor', '__proto__']) {
  const raw = JSON.parse(`{"command":"npx","args":["x"],"${key}":0}`);
  test(refused, raw, /is not a known key/);
}
test(refused, { command: 'node', args: ['x.js'] }, /^command\|must be npx, uvx or docker/);
test(refused, { command: '/usr/bin/npx', args: ['x'] }, /^command\|/);
test(refused, { command: 'npx' }, /^args\|npx needs a package/);
test(refused, { command: 'npx', args: ['-y'] }, /^args\|npx needs a package/);
test(refused, { command: 'npx', args: ['-p', 'a', 'b'] }, /^args\[0\]\|-p cannot be converted/);
test(refused, { command: 'npx', args: 'x' }, /^args\|must be a list/, /^args\|npx needs a package/);
test(refused, { command: 'npx', args: ['x', 1] }, /^args\[1\]\|must be a string/);
test(refused, { command: 'uvx', args: ['--from', 'a', 'b'] }, /^args\[0\]\|--from cannot be converted/);
for (const path of ['/Users/a', '~/a', './a', '..', 'C:\\a', 'file:///a', '--root=/a', '/tmp/../etc']) {
  test(refused, { command: 'npx', args: ['x', path] }, /^args\[1\]\|is a path of the host/);
}
test(refused, { command: 'npx', args: ['x'], env: { DB: '/home/a/db' } }, /^env\.DB\|is a path of the host/);
// biome-ignore lint/suspicious/noTemplateCurlyInString: clients write placeholders like this
test(refused, { command: 'npx', args: ['x'], env: { K: '${TOKEN}' } }, /^env\.K\|has a placeholder/);
// biome-ignore lint/suspicious/noTemplateCurlyInString: clients write placeholders like this
test(refused, { command: 'npx', args: ['x', '${input:key}'] }, /^args\[1\]\|has a placeholder/);
test(refused, { command: 'npx', args: ['x'], cwd: '/home' }, /^cwd\|names a directory of the host/);
test(refused, { command: 'npx', args: ['x'], disabled: true }, /^disabled\|is not a known key/);
test(converts, { url: 'https://x/mcp' }, { url: 'https://x/mcp' });
test(converts, { type: 'http', url: 'https://x/mcp', headers: {} }, { url: 'https://x/mcp' });
test(refused, { type: 'sse', url: 'https://x' }, /^type\|must be http or streamable-http/);
test(
  converts,
  { type: 'http', url: 'https://x', headers: { Authorization: 'Bearer b' } },
  { url: 'https://x', headers: { Authorization: 'Bearer b' } },
);
test(refused, { type: 'http', url: 'https://x', headers: ['A: b'] }, /^headers\|must be a map/);
test(
  refused,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: clients write placeholders like this
  { type: 'http', url: 'https://x', headers: { A: '${env:TOKEN}' } },
  /^headers\.A\|has a placeholder/,
);
test(refused, { type: 'http', url: 'https://x', command: 'npx' }, /^command\|is not a known key/);
// biome-ignore lint/suspicious/noTemplateCurlyInString: clients write placeholders like this
test(refused, { url: 'https://x/${input:key}' }, /^url\|has a placeholder/);
test(refused, { type: 'http' }, /^url\|is required/);
test(refused, { type: 'http', url: 1 }, /^url\|must be a string/);
test(refused, { command: 'docker', args: ['ps'] }, /^args\[0\]\|must be run/);
test(refused, { command: 'docker', args: ['run', '-i'] }, /^args\[1\]\|the image is missing/);
for (const flag of [
  '-it',
  '-d',
  '--privileged',
  '--network=host',
  '-v=/a:/b',
  '--mount=type=bind',
  '--pull=always',
  '--user=0',
  '--cap-add=ALL',
  '-eA=1',
]) {
  test(refused, { command: 'docker', args: ['run', flag, 'a/b'] }, /^args\[1\]\|/);
}
test(
  refused,
  { command: 'docker', args: ['run', '-v', '/a:/b', '--network', 'host', '-e', 'K', '-p', '1:2', 'a/b'] },
  /^args\[1\]\|-v mounts a path of the host/,
  /^args\[3\]\|--network chooses a network/,
  /^args\[6\]\|-e takes a variable/,
  /^args\[7\]\|-p publishes a port/,
);

test('in gantry.yaml they stand beside servers, with their lines, and go through the same checks', (t) => {
  const loaded = loadConfig(
    'servers: {a: {npm: x}}\nmcpServers:\n  a: {command: npx, args: [y]}\n  b: {command: npx, args: ["y@^1"]}\n  c: {command: uvx, args: [z]}\n',
    { baseDir: '/' },
  );
  const problems = loaded.ok
    ? []
    : loaded.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
  t.is(problems.length, 2);
  t.regex(problems[0] ?? '', /^3 mcpServers\.a: is under servers: already/);
  t.regex(problems[1] ?? '', /^4 mcpServers\.b.*exact version/);
});

test('a converted server has the defaults of every other', (t) => {
  const loaded = loadConfig('mcpServers: {c: {command: uvx, args: ["z==1.0", a], env: {K: v}}}', {
    baseDir: '/',
  });
  const [server] = loaded.ok ? loaded.servers : [];
  t.deepEqual(server?.source, { kind: 'pypi', name: 'z', version: '1.0', bin: null });
  t.deepEqual(server?.args, ['a']);
  t.deepEqual(server?.env, { K: 'v' });
  t.is(server?.sharing, 'session');
  t.is(server?.origin, 'file');
});

import test from 'ava';
import fc from 'fast-check';
import {
  invalidConfig,
  parseServerBody,
  parseStoredEntry,
  patchEntry,
} from '../../orchestrator/config/index.ts';
import { mergePatch } from '../../orchestrator/config/merge-patch.ts';

function problemsOf(parsed: ReturnType<typeof parseServerBody> | ReturnType<typeof patchEntry>): string[] {
  return parsed.ok ? [] : parsed.problems.map(({ path, line, message }) => `${path}|${line}|${message}`);
}

test('a body becomes a spec of origin api, and keeps the entry as it was written', (t) => {
  const parsed = parseServerBody({ name: 'x', npm: 'a@1.0.0', resources: { memory: '64MiB' } });
  const [server] = parsed.ok ? parsed.value : [];
  t.is(server?.spec.origin, 'api');
  t.is(server?.spec.resources.memoryBytes, 64 * 1024 ** 2);
  t.deepEqual(server?.entry, { npm: 'a@1.0.0', resources: { memory: '64MiB' } });
});

const refused = test.macro<[body: unknown, ...expected: RegExp[]]>({
  exec(t, body: unknown, ...expected: RegExp[]) {
    const problems = problemsOf(parseServerBody(body));
    for (const pattern of expected)
      t.true(
        problems.some((problem) => pattern.test(problem)),
        `${problems} ~ ${pattern}`,
      );
  },
  title: (_, body) => `the body ${JSON.stringify(body).slice(0, 90)} is refused`,
});

for (const body of [null, [], 'x', 1]) test(refused, body, /^\|null\|must be a JSON object/);
test(refused, {}, /^name\|null\|is required/, /^\|null\|needs one of/);
test(refused, { name: 1, npm: 'a' }, /^name\|null\|must be a string/);
test(refused, { name: 'X', npm: 'a' }, /^name\|null\|.*such as "x"/);
test(refused, { name: 'x', build: './servers/clock' }, /^build\|null\|names a directory of the host/);
test(refused, { name: 'x', npm: 'a@latest', resorces: {}, port: 1 }, /^npm/, /^resorces/, /^port/);
test(refused, { name: 'x', image: 'a', volumes: ['/:/host'] }, /^volumes\|null\|is not a known key/);
test(refused, { name: 'x', image: 'a', privileged: true }, /^privileged/);
test(refused, JSON.parse('{"name":"x","npm":"a","__proto__":{"network":"internet"}}'), /^__proto__/);
test(refused, JSON.parse('{"name":"x","npm":"a","env":{"__proto__":"x"}}'), /^env\.__proto__/);
test(refused, { mcpServers: {} }, /^mcpServers\|null\|must be a map/);
test(refused, { mcpServers: [] }, /^mcpServers\|null\|must be a map/);
test(
  refused,
  { name: 'x', mcpServers: { y: { command: 'npx', args: ['a'] } } },
  /^name\|null\|does not go together/,
);
test(
  refused,
  { mcpServers: { a: { command: 'node', args: ['x.js'] }, b: { url: 'https://x', headers: ['b'] } } },
  /^mcpServers\.a\.command/,
  /^mcpServers\.b\.headers/,
);

test('a document with mcpServers brings several servers at once', (t) => {
  const parsed = parseServerBody({
    mcpServers: {
      a: { command: 'npx', args: ['-y', 'x@1.0.0', 'stdio'] },
      b: { command: 'uvx', args: ['y'] },
    },
  });
  t.deepEqual(parsed.ok && parsed.value.map(({ name, entry }) => [name, entry]), [
    ['a', { npm: 'x@1.0.0', args: ['stdio'] }],
    ['b', { pypi: 'y' }],
  ]);
});

test('a port that another server has is refused', (t) => {
  const parsed = parseServerBody({ name: 'x', npm: 'a', port: 3001 }, { usedPorts: new Map([[3001, 'y']]) });
  t.regex(problemsOf(parsed).join(), /^port\|null\|3001 is the port of "y"/);
});

test('a patch is merged into the entry as written, and the whole is checked anew', (t) => {
  const entry = { npm: 'a@1.0.0', args: ['x', 'y'], env: { A: '1', B: '2' }, resources: { cpus: 2 } };
  const patched = patchEntry('x', entry, {
    args: ['z'],
    env: { A: null, C: '3' },
    resources: { memory: '1GiB' },
  });
  t.deepEqual(patched.ok && patched.value.entry, {
    npm: 'a@1.0.0',
    args: ['z'],
    env: { B: '2', C: '3' },
    resources: { cpus: 2, memory: '1GiB' },
  });
  t.is(patched.ok && patched.value.spec.resources.memoryBytes, 1024 ** 3);
  t.deepEqual(entry.args, ['x', 'y']);
});

test('a patch changes the source when it removes the old one, and is refused when it does not', (t) => {
  const moved = patchEntry('x', { npm: 'a' }, { npm: null, image: 'b' });
  t.deepEqual(moved.ok && moved.value.entry, { image: 'b' });
  t.regex(
    problemsOf(patchEntry('x', { npm: 'a' }, { image: 'b' })).join(),
    /^image\|null\|npm is given already/,
  );
});

test('a patch cannot rename, build, poison or be anything but an object', (t) => {
  t.regex(problemsOf(patchEntry('x', { npm: 'a' }, { name: 'y' })).join(), /^name\|null\|cannot be changed/);
  t.true(patchEntry('x', { npm: 'a' }, { name: 'x' }).ok);
  t.regex(problemsOf(patchEntry('x', { npm: 'a' }, { npm: null, build: '.' })).join(), /^build/);
  t.regex(
    problemsOf(patchEntry('x', { npm: 'a' }, JSON.parse('{"env":{"__proto__":{}}}'))).join(),
    /__proto__/,
  );
  t.regex(problemsOf(patchEntry('x', { npm: 'a' }, [])).join(), /must be a JSON object/);
});

test('a stored entry is read back to the same spec', (t) => {
  const parsed = parseServerBody({ name: 'x', npm: 'a@1.0.0', data: '/data' });
  const [server] = parsed.ok ? parsed.value : [];
  const again = parseStoredEntry('x', JSON.parse(JSON.stringify(server?.entry)));
  t.deepEqual(again.ok && again.value, server as never);
  t.false(parseStoredEntry('X', { npm: 'a' }).ok);
});

test('the error of a refused definition has the documented shape', (t) => {
  const parsed = parseServerBody({ name: 'x', npm: 'a@latest' });
  const error = invalidConfig(parsed.ok ? [] : parsed.problems);
  t.is(error.code, 'invalid_config');
  const [problem] = error.detail.problems as Record<string, unknown>[];
  t.deepEqual(Object.keys(problem ?? {}), ['path', 'line', 'message']);
  t.is(problem?.path, 'npm');
  t.is(problem?.line, null);
});

/** The examples of RFC 7396, appendix A. */
const merges: [unknown, unknown, unknown][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];
for (const [target, patch, result] of merges) {
  test(`merging ${JSON.stringify(patch)} into ${JSON.stringify(target)} gives ${JSON.stringify(result)}`, (t) => {
    t.deepEqual(mergePatch(target, patch), result);
  });
}

test('whatever the body, the answer is servers or problems, never an exception', (t) => {
  const entry = fc.record(
    {
      name: fc.constantFrom('x', 'X', 1),
      npm: fc.oneof(fc.string(), fc.constant('a@1.0.0')),
      pypi: fc.string(),
      image: fc.string(),
      args: fc.jsonValue(),
      env: fc.jsonValue(),
      data: fc.string(),
      resources: fc.jsonValue(),
      port: fc.jsonValue(),
      mcpServers: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.oneof(entry, fc.jsonValue()), (body) => {
        const parsed = parseServerBody(body);
        return parsed.ok ? parsed.value.length > 0 : parsed.problems.length > 0;
      }),
      { examples: [[{ mcpServers: { a: { valueOf: 0 } } }]] },
    ),
  );
});

test('a body of very many mistakes is answered with the first two hundred and a count', (t) => {
  const args = Array.from({ length: 256 }, () => 1);
  const problems = problemsOf(parseServerBody({ name: 'x', npm: 'a', args }));
  t.is(problems.length, 201);
  t.is(problems.at(-1), '|null|and 56 more');
});

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { loadConfig, parseServerBody } from '../../orchestrator/config/index.ts';
import { linesOf, mistake } from './mistake.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const CANARY = 'canary-7e2d';

function file(headers: string): string {
  return `servers: {x: {url: "http://a.test/", headers: {${headers}}}}`;
}

test('headers of a server elsewhere are texts or stand in files, under names in lower case', async (t) => {
  const baseDir = await temporaryDirectory(t);
  await mkdir(join(baseDir, 'secrets'));
  await writeFile(join(baseDir, 'secrets/token'), `Bearer ${CANARY}\n`);
  const loaded = loadConfig(file('Authorization: {file: secrets/token}, X-Zone: eu'), { baseDir });
  t.like(loaded.ok && loaded.servers[0]?.source, {
    kind: 'url',
    headers: { authorization: `Bearer ${CANARY}`, 'x-zone': 'eu' },
  });
});

test('what a file holds is checked as what stands in gantry.yaml, and never shown', async (t) => {
  const baseDir = await temporaryDirectory(t);
  for (const text of [`${CANARY}\nX-Injected: 1`, ` ${CANARY}`, `${CANARY}ä`, CANARY.repeat(1000)]) {
    await writeFile(join(baseDir, 'token'), text);
    const loaded = loadConfig(file('Authorization: {file: token}'), { baseDir });
    const problems = loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path} ${message}`);
    t.is(problems.length, 1, text.slice(0, 40));
    t.regex(problems[0] ?? '', /^servers\.x\.headers\.Authorization\.file (must be one line|is over 8 KiB)/);
    t.notRegex(problems.join(), new RegExp(CANARY));
  }
});

for (const name of [
  ...['Host', 'connection', 'Keep-Alive', 'TE', 'Transfer-Encoding', 'Upgrade', 'Content-Length', 'Expect'],
  ...[
    'Content-Type',
    'Accept',
    'Last-Event-ID',
    'MCP-Session-Id',
    'mcp-protocol-version',
    'Proxy-Authorization',
  ],
])
  test(mistake, file(`${name}: x`), new RegExp(`headers\\.${name}: belongs to the connection or to MCP`));
test(mistake, file('"A B": x'), /headers\.A B: is no name of a header/);
test(mistake, file('"": x'), /headers.*: is no name of a header/);
test(mistake, file('X-Key: a, x-key: b'), /headers\.x-key: is there twice/);
test(mistake, file('X-Key: "a\\nX-Injected: b"'), /headers\.X-Key: must be one line of ASCII/);
test(mistake, file('X-Key: 5'), /headers\.X-Key: must be a string: put it in quotes/);
test(mistake, file('X-Key: {file: ../token}'), /headers\.X-Key\.file: must be a file below/);
test(mistake, 'servers: {x: {npm: "x@1.0.0", headers: {A: b}}}', /headers: are for servers elsewhere/);

test('a reference to a file over HTTP is refused', (t) => {
  const parsed = parseServerBody({
    name: 'x',
    url: 'http://a.test/',
    headers: { A: { file: '/etc/passwd' } },
  });
  const texts = parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path} ${message}`);
  t.regex(texts.join('\n'), /headers\.A names a file of the host: only gantry\.yaml/);
});

test('no problem repeats a value of headers', (t) => {
  for (const value of ['5550199', '[5550199]', '{file: 5550199}', '{flie: x5550199}', '"5550199\\n"']) {
    const text = linesOf(file(`PIN: ${value}`)).join('\n');
    t.regex(text, /PIN/);
    t.notRegex(text.replaceAll('flie', ''), /5550199/, value);
  }
});

test('nobody has to have the headers of a server that is not run', (t) => {
  const loaded = loadConfig(
    'servers: {x: {url: "http://a.test/", disabled: no token yet, headers: {A: {file: secrets/none}}}}',
    { baseDir: '/etc' },
  );
  t.true(loaded.ok);
});

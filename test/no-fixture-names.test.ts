import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

const ROOT = join(import.meta.dirname, '..');
const FIXTURE = join(ROOT, 'test', 'fixtures', 'conformance');

function sources(directory: string, ending: string): { readonly file: string; readonly text: string }[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => ({ file, text: readFileSync(join(directory, file), 'utf8') }));
}

/** How the official conformance suite and our own fixture name their tools, prompts and resources. */
const NAME = /\b(?:test|bridge)_[a-z0-9_]+|\btest:\/\/[^'"`\s]*/g;

const names = new Set(sources(FIXTURE, '.mjs').flatMap(({ text }) => text.match(NAME) ?? []));

test('the fixture has the names that are looked for', (t) => {
  t.true(names.size >= 20);
  for (const name of ['test_simple_text', 'bridge_echo', 'test_simple_prompt', 'test://static-text']) {
    t.true(names.has(name), name);
  }
});

test('the orchestrator knows no tool, prompt or resource of the conformance suite: nothing is made for a test', (t) => {
  const known = sources(join(ROOT, 'orchestrator'), '.ts').flatMap(({ file, text }) => [
    ...[...names].filter((name) => text.includes(name)).map((name) => `${file}: ${name}`),
    ...(text.match(NAME) ?? []).map((name) => `${file}: ${name}`),
  ]);
  t.deepEqual(known, []);
});

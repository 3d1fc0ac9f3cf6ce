import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { checkProof } from '../../scripts/testing/proof.mjs';

function projectWith(proof: string): string {
  const root = mkdtempSync(join(tmpdir(), 'gantry-proof-'));
  mkdirSync(join(root, 'docs'));
  mkdirSync(join(root, 'test'));
  writeFileSync(join(root, 'docs', 'proof.md'), proof);
  writeFileSync(join(root, 'test', 'a.test.ts'), '');
  return root;
}

const row = (file: string, title: string): string => `| a promise | \`${file}\` | ${title} |\n`;

test('a promise is kept when its test ran and passed', (t) => {
  const root = projectWith(row('test/a.test.ts', 'it works'));
  t.teardown(() => rmSync(root, { recursive: true }));
  t.deepEqual(checkProof(root, ['folder › a › it works']), []);
});

test('a promise is broken when its test did not run, is in another file, or its file is missing', (t) => {
  const root = projectWith(row('test/a.test.ts', 'it works') + row('test/gone.test.ts', 'x'));
  t.teardown(() => rmSync(root, { recursive: true }));
  t.is(checkProof(root, []).length, 2);
  t.is(checkProof(root, ['b › it works']).length, 2);
  t.regex(checkProof(root, ['a › it works'])[0] ?? '', /gone\.test\.ts does not exist/);
});

test('a proof page without rows is refused', (t) => {
  const root = projectWith('# Proof\n');
  t.teardown(() => rmSync(root, { recursive: true }));
  t.deepEqual(checkProof(root, ['a › it works']), ['docs/proof.md names no test']);
});

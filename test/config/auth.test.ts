import test from 'ava';
import { tokenHash, tokenOwners } from '../../orchestrator/config/index.ts';

const entries = [
  { principal: 'alice', sha256: tokenHash('one'), scopes: ['call', 'admin'] as const },
  { principal: 'bob', sha256: tokenHash('two'), scopes: ['call'] as const },
];

test('a token belongs to the principal whose hash it has, with the scopes of that entry', (t) => {
  t.deepEqual(tokenOwners(entries)('one'), { principal: 'alice', scopes: ['call', 'admin'] });
  t.deepEqual(tokenOwners(entries)('two'), { principal: 'bob', scopes: ['call'] });
});

test('anything else belongs to nobody', (t) => {
  for (const token of ['', 'One', 'one ', 'three', tokenHash('one'), '\0', 'x'.repeat(1_000_000)]) {
    t.is(tokenOwners(entries)(token), null);
  }
  t.is(tokenOwners([])('one'), null);
  t.is(tokenOwners([{ principal: 'broken', sha256: '', scopes: ['admin'] }])(''), null);
});

test('the hash is the one that sha256sum prints', (t) => {
  t.is(tokenHash('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

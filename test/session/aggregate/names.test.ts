import test from 'ava';
import fc from 'fast-check';
import {
  ownerOfName,
  ownerOfUri,
  sharedName,
  sharedUri,
} from '../../../orchestrator/session/aggregate/names.ts';

const server = fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/);

test('for any server and any name or URI, both are found again', (t) => {
  fc.assert(
    fc.property(server, fc.string(), (name, own) => {
      t.deepEqual(ownerOfName(sharedName({ server: name, own })), { server: name, own });
      t.deepEqual(ownerOfUri(sharedUri({ server: name, own })), { server: name, own });
    }),
  );
});

test('for any two that differ, names and URIs differ', (t) => {
  const owned = fc.record({ server, own: fc.string() });
  fc.assert(
    fc.property(owned, owned, (a, b) => {
      const same = a.server === b.server && a.own === b.own;
      t.is(sharedName(a) === sharedName(b), same);
      t.is(sharedUri(a) === sharedUri(b), same);
    }),
  );
});

test('a URI stays one: the server begins its scheme', (t) => {
  const shared = sharedUri({ server: 'file-system', own: 'file:///a/b?c#d' });
  t.is(new URL(shared).protocol, 'file-system+file:');
  t.is(new URL(shared).href, shared);
});

test('what names no server has no owner', (t) => {
  t.is(ownerOfName('echo'), null);
  t.is(ownerOfName('__echo'), null);
  t.is(ownerOfUri('file:///a'), null);
  t.deepEqual(ownerOfName('a___b'), { server: 'a', own: '_b' });
  t.deepEqual(ownerOfUri('a+{+path}'), { server: 'a', own: '{+path}' });
});

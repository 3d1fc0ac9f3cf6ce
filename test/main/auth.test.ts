import test from 'ava';
import { authOf, refuseOpenDoor } from '../../orchestrator/auth.ts';
import { type Settings, tokenHash } from '../../orchestrator/config/index.ts';

function settings(...principals: string[]): Settings {
  return {
    auth: {
      tokens: principals.map((principal) => ({
        principal,
        sha256: tokenHash(`token of ${principal}`),
        scopes: ['call'],
      })),
    },
    http: { allowedOrigins: [], allowedHosts: [], maxBodyBytes: 1 },
    registry: { allowedAddresses: [] },
    limits: { maxLineBytes: 1, memoryBudgetBytes: null },
  };
}

test('without configured tokens nobody needs one, and the admin token is that of the one principal', (t) => {
  const auth = authOf(settings(), 'secret');
  t.false(auth.required);
  t.deepEqual(auth.callerOf('secret'), { principal: 'anonymous', scopes: ['call', 'admin'] });
  t.is(auth.callerOf('another'), null);
  t.is(auth.callerOf(''), null);
});

test('with configured tokens every one has its principal and scopes, and the admin token is admin', (t) => {
  const auth = authOf(settings('alice', 'bob'), 'secret');
  t.true(auth.required);
  t.like(auth.callerOf('token of bob'), { principal: 'bob', scopes: ['call'] });
  t.deepEqual(auth.callerOf('secret'), { principal: 'admin', scopes: ['call', 'admin'] });
  t.is(auth.callerOf('token of carol'), null);
});

for (const address of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
  test(`publishing on ${address} needs no tokens`, (t) => {
    t.notThrows(() => refuseOpenDoor(address, settings()));
  });
}

for (const address of [
  '0.0.0.0',
  '::',
  '192.168.1.5',
  '127.0.0.1.example.com',
  'localhost.example.com',
  '',
]) {
  test(`publishing on ${JSON.stringify(address)} is refused without tokens and fine with one`, (t) => {
    t.throws(() => refuseOpenDoor(address, settings()), { message: /no auth\.tokens are configured/ });
    t.notThrows(() => refuseOpenDoor(address, settings('alice')));
  });
}

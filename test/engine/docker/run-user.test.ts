import test from 'ava';
import { needsPasswd, runUser } from '../../../orchestrator/engine/docker/run-user.ts';

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n';

for (const user of ['', 'root', '0', '0:0', '00', '+0', '-1', 'root:node', 'toor', 'nobody-knows', ' 0 ']) {
  test(`an image that would run as "${user}" runs as 10001 instead`, (t) => {
    t.deepEqual(runUser(user, PASSWD), { user: '10001:10001', uid: 10001, gid: 10001 });
  });
}

for (const [user, uid, gid] of [
  ['node', 1000, 1001],
  ['node:50', 1000, 50],
  ['1000', 1000, 1001],
  ['65532', 65532, 65532],
  ['65532:7', 65532, 7],
] as const) {
  test(`an image's own user "${user}" is kept, and its ids are known`, (t) => {
    t.deepEqual(runUser(user, PASSWD), { user, uid, gid });
  });
}

test('a named user is not believed without an account list', (t) => {
  t.is(runUser('node', null).user, '10001:10001');
  t.true(needsPasswd('node'));
  t.false(needsPasswd('1000:1000'));
  t.false(needsPasswd(''));
});

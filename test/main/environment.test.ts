import test from 'ava';
import { readEnvironment } from '../../orchestrator/environment.ts';

test('without a word about it the owner is gantry', (t) => {
  t.is(readEnvironment({}).owner, 'gantry');
  t.is(readEnvironment({ GANTRY_OWNER: 'team-2.eu_west' }).owner, 'team-2.eu_west');
});

// A colon would let the Redis keys of two owners meet, anything else the names of their containers and volumes.
for (const owner of ['', 'a:b', 'A', '-a', 'a b', 'a/b', 'a'.repeat(64)]) {
  test(`the owner ${JSON.stringify(owner)} is refused, and the variable is named`, (t) => {
    t.throws(() => readEnvironment({ GANTRY_OWNER: owner }), { message: /^GANTRY_OWNER must be / });
  });
}

test('the environment whose file is laid over gantry.yaml is a name, or none', (t) => {
  t.is(readEnvironment({}).configEnvironment, null);
  t.is(
    readEnvironment({ GANTRY_ENVIRONMENT: '' }).configEnvironment,
    null,
    'compose hands on what is not set',
  );
  t.is(readEnvironment({ GANTRY_ENVIRONMENT: 'production' }).configEnvironment, 'production');
  for (const wrong of ['../x', 'Prod', 'a b', '.']) {
    t.throws(() => readEnvironment({ GANTRY_ENVIRONMENT: wrong }), {
      message: /GANTRY_ENVIRONMENT must be a name such as production/,
    });
  }
});

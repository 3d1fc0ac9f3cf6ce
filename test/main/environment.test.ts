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

test('a volume that is shared with the engine is named for both sides, or for one that has it at the same path', (t) => {
  t.is(readEnvironment({}).channels, null);
  t.is(readEnvironment({ GANTRY_CHANNEL_DIR: '' }).channels, null);
  t.deepEqual(readEnvironment({ GANTRY_CHANNEL_DIR: '/c' }).channels, { dir: '/c', engineDir: '/c' });
  const both = { GANTRY_CHANNEL_DIR: '/c', GANTRY_ENGINE_CHANNEL_DIR: '/engine/c' };
  t.deepEqual(readEnvironment(both).channels, { dir: '/c', engineDir: '/engine/c' });
  t.throws(() => readEnvironment({ GANTRY_CHANNEL_DIR: 'c' }), { message: /^GANTRY_CHANNEL_DIR and / });
});

import test from 'ava';
import { diffServers, loadConfig } from '../../orchestrator/config/index.ts';

function specs(text: string) {
  const loaded = loadConfig(`servers: {${text}}`, { baseDir: '/' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.servers;
}

test('what was added, changed and removed is told apart, and what changed is named', (t) => {
  const before = specs('a: {npm: x}, b: {npm: x}, c: {npm: x, env: {A: "1"}}, d: {npm: x}');
  const after = specs('e: {npm: x}, c: {npm: x, env: {A: "2"}}, b: {npm: x}, d: {npm: y, replicas: 2}');
  const { added, changed, removed } = diffServers(before, after);
  t.deepEqual(
    added.map(({ name }) => name),
    ['e'],
  );
  t.deepEqual(
    removed.map(({ name }) => name),
    ['a'],
  );
  t.deepEqual(
    changed.map(({ before, after, fields }) => [before.name, after.name, fields]),
    [
      ['c', 'c', ['env']],
      ['d', 'd', ['source', 'replicas', 'scaling']],
    ],
  );
});

test('the order of servers and keys, and another spelling of the same size, change nothing', (t) => {
  const before = specs('a: {npm: x, env: {A: "1", B: "2"}, resources: {memory: 256MiB}}, b: {npm: x}');
  const after = specs('b: {npm: x}, a: {resources: {memory: 268435456}, env: {B: "2", A: "1"}, npm: x}');
  t.deepEqual(diffServers(before, after), { added: [], changed: [], removed: [] });
});

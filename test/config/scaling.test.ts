import test from 'ava';
import { loadConfig } from '../../orchestrator/config/index.ts';
import { mistake } from './mistake.ts';

function server(entry: string) {
  const loaded = loadConfig(`servers: {x: {npm: "x@1.0.0", ${entry}}}`, { baseDir: '/' });
  return loaded.ok ? loaded.servers[0] : loaded.problems;
}

test('a number of replicas is short for min and max of that number, without spares', (t) => {
  t.like(server('replicas: 3'), { replicas: 3, scaling: { max: 3, warm: 0 } });
});

test('replicas as a map: max is min where it is not given, warm is none', (t) => {
  t.like(server('replicas: {min: 2}'), { replicas: 2, scaling: { max: 2, warm: 0 } });
  t.like(server('replicas: {warm: 2}'), { replicas: 1, scaling: { max: 1, warm: 2 } });
  t.like(server('sharing: shared, replicas: {min: 1, max: 4}'), { replicas: 1, scaling: { max: 4 } });
});

test('spares go with data where several processes have the volume open anyway', (t) => {
  t.like(server('data: /data, replicas: {warm: 1}'), { scaling: { warm: 1 } });
  t.like(server('sharing: shared, data: /data, replicas: {max: 2, warm: 1}'), { scaling: { warm: 1 } });
});

test('without idle nothing is ever put to rest, and either step can be had alone', (t) => {
  t.like(server('replicas: 1'), { idle: { pauseAfterMs: null, stopAfterMs: null } });
  t.like(server('idle: {stopAfterMs: 5000}'), { idle: { pauseAfterMs: null, stopAfterMs: 5000 } });
});

test('a memory budget is a size, and null where it is to be worked out', (t) => {
  const budget = (text: string) => {
    const loaded = loadConfig(text, { baseDir: '/' });
    return loaded.ok ? loaded.settings.limits.memoryBudgetBytes : loaded.problems;
  };
  t.is(budget('limits: {memoryBudget: 2GiB}'), 2 * 1024 ** 3);
  t.is(budget(''), null);
});

test('a variable called replicas is no range: nothing of its value is told', (t) => {
  const problems = JSON.stringify(server('env: {replicas: {file: 5550199}}'));
  t.regex(problems, /env/);
  t.notRegex(problems, /5550199/);
});

const of = (entry: string) => `servers: {x: {npm: a, ${entry}}}`;
test(mistake, of('replicas: {min: 0}'), /x\.replicas\.min: must be at least 1/);
test(mistake, of('replicas: {min: 2, max: 1}'), /x\.replicas\.max: must be at least min, which is 2/);
test(mistake, of('replicas: {max: 3}'), /x\.replicas\.max: above min is for sharing: shared/);
test(
  mistake,
  of('sharing: shared, data: /data, replicas: {warm: 1}'),
  /x\.replicas\.warm: would open the data volume/,
);
test(mistake, of('replicas: {warm: -1}'), /x\.replicas\.warm: must be at least 0/);
test(mistake, of('replicas: {warn: 1}'), /x\.replicas\.warn: is not a known key\. Did you mean "warm"/);
test(mistake, of('replicas: many'), /x\.replicas: must be a whole number from 1 to 100, or a map/);
test(mistake, of('idle: {pauseAfterMs: 10}'), /x\.idle\.pauseAfterMs: must be at least 1000/);
test(
  mistake,
  of('idle: {pauseAfterMs: 5000, stopAfterMs: 5000}'),
  /x\.idle\.stopAfterMs: must be more than pauseAfterMs, which is 5000/,
);
test(mistake, 'limits: {memoryBudget: 1MiB}', /limits\.memoryBudget: must be a size of at least 64MiB/);

import test from 'ava';
import fc from 'fast-check';
import { loadConfig, patchEntry, problemText } from '../../orchestrator/config/index.ts';

function problems(text: string): string[] {
  const loaded = loadConfig(text, { baseDir: '/etc/gantry' });
  return loaded.ok ? [] : loaded.problems.map((problem) => problemText('gantry.yaml', problem));
}

test('a name that no server has is refused where it stands', (t) => {
  t.deepEqual(problems('servers:\n  clock: {npm: a}\n  x:\n    npm: b\n    dependsOn: [clok, clock]'), [
    'gantry.yaml:5:17 servers.x.dependsOn[0]: there is no server "clok". Did you mean "clock"?',
  ]);
});

test('a circle is refused once, at the name that closes it', (t) => {
  const text =
    'servers:\n  a: {npm: a, dependsOn: [b]}\n  b: {npm: b, dependsOn: [c]}\n  c: {npm: c, dependsOn: [a]}';
  t.deepEqual(problems(text), [
    'gantry.yaml:4:27 servers.c.dependsOn[0]: closes a circle in which nothing could start: a → b → c → a',
  ]);
  t.regex(problems('servers: {a: {npm: a, dependsOn: [a]}}').join(), /a → a/);
});

test('a server made over the API is held to the same', (t) => {
  const dependsOn = new Map([
    ['b', ['x']],
    ['c', ['b']],
  ]);
  const refusal = (names: string[]): string => {
    const parsed = patchEntry('x', { npm: 'a' }, { dependsOn: names }, { dependsOn });
    return parsed.ok
      ? 'accepted'
      : parsed.problems.map(({ path, message }) => `${path} ${message}`).join('\n');
  };
  t.regex(refusal(['d']), /^dependsOn\[0\] there is no server "d"/);
  t.is(refusal(['c']), 'dependsOn[0] closes a circle in which nothing could start: x → c → b → x');
  t.regex(refusal(['x']), /x → x/);
  dependsOn.set('b', []);
  t.is(refusal(['c', 'b']), 'accepted');
});

test('a file is refused for a circle exactly when no order to start in exists', (t) => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const graph = fc.tuple(...names.map(() => fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 })));
  const asSaid = fc.property(graph, (edges) => {
    const rows = names.map((name, index) => `  ${name}: {npm: x, dependsOn: [${edges[index]}]}`);
    const isRefused = problems(`servers:\n${rows.join('\n')}`).some((line) => /circle/.test(line));
    const started = new Set<string>();
    for (let round = 0; round < names.length; round++) {
      for (const [index, name] of names.entries())
        if (edges[index]?.every((other) => started.has(other))) started.add(name);
    }
    return isRefused === started.size < names.length;
  });
  t.notThrows(() => fc.assert(asSaid, { numRuns: 500 }));
});

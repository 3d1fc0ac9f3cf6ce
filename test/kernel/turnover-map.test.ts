import test from 'ava';
import fc from 'fast-check';
import { TurnoverMap } from '../../orchestrator/kernel/index.ts';

test('whatever is set and deleted, it holds what a Map would; numbers come first, the least of them before all others', (t) => {
  const key = fc.oneof(
    fc.integer({ min: -9, max: 40 }),
    fc.integer({ min: -3, max: 9 }).map((n) => 16 * n + 5), // all at one place
    fc.constantFrom(0.5, 2 ** 53, -(2 ** 31), 1e300),
    fc.constantFrom('0', '1', 'a', ''),
  );
  const step = fc.record({ key, value: fc.option(fc.integer()) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const [mine, real] = [new TurnoverMap<number | string, number>(), new Map<number | string, number>()];
      for (const { key, value } of steps) {
        if (value === null) {
          mine.delete(key);
          real.delete(key);
        } else {
          mine.set(key, value);
          real.set(key, value);
        }
        if (mine.size !== real.size || mine.get(key) !== real.get(key) || mine.has(key) !== real.has(key)) {
          return false;
        }
      }
      const numbers = [...real.keys()].filter((key) => typeof key === 'number').toSorted((a, b) => a - b);
      const texts = [...real.keys()].filter((key) => typeof key === 'string');
      return t.deepEqual(
        mine.values(),
        [...numbers, ...texts].map((key) => real.get(key) as number),
      );
    }),
  );
});

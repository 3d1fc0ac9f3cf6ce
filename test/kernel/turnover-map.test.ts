import test from 'ava';
import fc from 'fast-check';
import { TurnoverMap } from '../../orchestrator/kernel/index.ts';

test('whatever is set and deleted, it holds what a Map would, in the same order', (t) => {
  const key = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom('0', '1', 'a', ''));
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
      return t.deepEqual(mine.values(), [...real.values()]);
    }),
  );
});

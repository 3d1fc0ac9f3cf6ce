import test from 'ava';
import fc from 'fast-check';
import { elementTexts } from '../../orchestrator/kernel/index.ts';

test('the text of every element is found as it stands', (t) => {
  t.deepEqual(elementTexts('[]'), []);
  t.deepEqual(elementTexts(' [ ] '), []);
  t.deepEqual(elementTexts('[{"n":9007199254740993} , [1,[2]], "a,]\\"b\\\\", null]'), [
    '{"n":9007199254740993}',
    '[1,[2]]',
    '"a,]\\"b\\\\"',
    'null',
  ]);
});

test('for any array the elements are those that a parser sees', (t) => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1), (values, indent) => {
      const parsed = elementTexts(JSON.stringify(values, null, indent)).map((text) => JSON.parse(text));
      t.deepEqual(parsed, JSON.parse(JSON.stringify(values)));
    }),
  );
});

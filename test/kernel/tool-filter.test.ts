import test from 'ava';
import fc from 'fast-check';
import { ALL_TOOLS, allowedTools, allowsTool } from '../../orchestrator/kernel/index.ts';

test('what is denied is out, even where it is allowed, and what is not allowed is out', (t) => {
  const filter = { allow: ['read_*', 'list'], deny: ['*_secret'] };
  const names = ['read_file', 'read_secret', 'list', 'list2', 'write_file', 'read_', 'READ_file'];
  t.deepEqual(
    names.filter((name) => allowsTool(filter, name)),
    ['read_file', 'list', 'read_'],
  );
  t.false(allowsTool({ allow: [], deny: [] }, 'any'));
  t.true(allowsTool({ allow: null, deny: [] }, 'any'));
});

test('a star is any text, none too, and everything else is itself', (t) => {
  const fits = (pattern: string, name: string): boolean => allowsTool({ allow: [pattern], deny: [] }, name);
  t.true(fits('a*b*c', 'abc'));
  t.true(fits('a*b*c', 'axxbyyc'));
  t.false(fits('a*b*c', 'acb'));
  t.false(fits('ab*ba', 'aba'));
  t.true(fits('*', ''));
  t.false(fits('a.c', 'abc'));
  t.true(fits('**a', 'ba'));
});

test('for any pattern and name the answer is that of the regular expression', (t) => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
  fc.assert(
    fc.property(word, name, (pattern, tool) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(tool);
      t.is(allowsTool({ allow: [pattern], deny: [] }, tool), expected);
    }),
  );
});

test('without a filter the list itself is given back', (t) => {
  const tools = [{ name: 'a' }, { name: 'b' }];
  t.is(allowedTools(ALL_TOOLS, tools), tools);
  t.deepEqual(allowedTools({ allow: null, deny: ['a'] }, tools), [{ name: 'b' }]);
});

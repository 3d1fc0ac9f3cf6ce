import test from 'ava';
import fc from 'fast-check';
import { MAX_JSON_DEPTH, scanJson } from '../../orchestrator/kernel/index.ts';

test('finds the exact text of every member of the outermost object', (t) => {
  const scan = scanJson('{"id": 9007199254740993, "result" : {"a":[1,{"b":"}"}],"n":1e400},"jsonrpc":"2.0"}');
  t.true(scan.ok);
  if (!scan.ok) return;
  t.is(scan.members.get('id'), '9007199254740993');
  t.is(scan.members.get('result'), '{"a":[1,{"b":"}"}],"n":1e400}');
  t.is(scan.members.get('jsonrpc'), '"2.0"');
});

test('sees a duplicate key even when one of the two is written with an escape', (t) => {
  t.deepEqual(scanJson('{"id":1,"\\u0069d":2}'), { ok: false, why: 'duplicate_key' });
});

test('a quote behind backslashes ends a string only when their number is even', (t) => {
  const scan = scanJson('{"a":"x\\\\","b":"y\\\\\\"{","c":1}');
  t.true(scan.ok && scan.members.get('c') === '1' && scan.members.get('b') === '"y\\\\\\"{"');
});

test('refuses nesting over the limit, and brackets in strings do not count', (t) => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  t.true(scanJson(nested(MAX_JSON_DEPTH)).ok);
  t.deepEqual(scanJson(nested(MAX_JSON_DEPTH + 1)), { ok: false, why: 'too_deep' });
  t.true(scanJson(JSON.stringify({ text: '['.repeat(1000) })).ok);
});

test('agrees with JSON.parse about the members of any object', (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), fc.nat(3), (object, indent) => {
      const text = JSON.stringify(object, null, indent);
      const scan = scanJson(text);
      if (!scan.ok) return false;
      const parsed: unknown = Object.fromEntries(
        [...scan.members].map(([key, value]) => [key, JSON.parse(value)]),
      );
      return JSON.stringify(parsed) === JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text))));
    }),
  );
  t.is(scanJson('[]').ok, true);
});

test('never throws, whatever the text', (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      scanJson(text);
    }),
  );
  t.deepEqual(scanJson('{"open'), { ok: false, why: 'malformed' });
});

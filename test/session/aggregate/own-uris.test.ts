import test from 'ava';
import type { JsonRpcOutcome } from '../../../orchestrator/kernel/index.ts';
import { withSharedUris } from '../../../orchestrator/session/aggregate/own-uris.ts';

function rewritten(method: string, raw: string): string {
  const outcome: JsonRpcOutcome = { ok: true, result: JSON.parse(raw), raw };
  const after = withSharedUris('a', method, outcome);
  checkSame(after);
  return after.ok ? after.raw : '';
}

/** The parsed result says the same as the text. */
function checkSame(outcome: JsonRpcOutcome): void {
  if (outcome.ok && JSON.stringify(outcome.result) !== JSON.stringify(JSON.parse(outcome.raw))) {
    throw new Error('result and text differ');
  }
}

test('resources in what a tool answers get the URIs under which they can be read; other text stays as it is', (t) => {
  const raw =
    '{ "content":[ {"type":"text","text":"\\"uri\\"","n":9007199254740993}, {"type":"resource_link","uri":"x:1", "size":9007199254740993},{"type":"resource","resource":{"uri":"x:2","text":"t" }} ],"structuredContent":{"uri":"x:3"}}';
  t.is(
    rewritten('tools/call', raw),
    '{"content":[{"type":"text","text":"\\"uri\\"","n":9007199254740993},{"type":"resource_link","uri":"a+x:1","size":9007199254740993},{"type":"resource","resource":{"uri":"a+x:2","text":"t"}}],"structuredContent":{"uri":"x:3"}}',
  );
});

test('a result without resources is the very text of the server', (t) => {
  for (const raw of [
    '{ "content" : [ {"type":"text","text":"x"} ] }',
    '{ "content":[{"type":"text","text":"a \\"uri\\": here"}], "structuredContent": {"uri":"x:1"} }',
    '{"content":"uri"}',
  ]) {
    t.is(rewritten('tools/call', raw), raw);
  }
});

test('resources that are read, and those in prompts, get such URIs too', (t) => {
  t.is(
    rewritten('resources/read', '{"contents":[{"uri":"x:1","text":"t"}]}'),
    '{"contents":[{"uri":"a+x:1","text":"t"}]}',
  );
  t.is(
    rewritten(
      'prompts/get',
      '{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"x:1","blob":""}}},{"role":"user","content":[{"type":"resource_link","uri":"x:2"}]}]}',
    ),
    '{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"a+x:1","blob":""}}},{"role":"user","content":[{"type":"resource_link","uri":"a+x:2"}]}]}',
  );
});

test('shapes that nobody expects are passed on', (t) => {
  for (const raw of ['{"contents":{"uri":1}}', '{"contents":[{"uri":7},null,"x"]}', '{"uri":"x:1"}']) {
    t.is(rewritten('resources/read', raw), raw);
  }
  const error: JsonRpcOutcome = { ok: false, error: { code: -1, message: '"uri"' } };
  t.is(withSharedUris('a', 'resources/read', error), error);
});

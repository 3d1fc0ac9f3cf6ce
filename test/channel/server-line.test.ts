import test from 'ava';
import fc from 'fast-check';
import { readServerLine } from '../../orchestrator/channel/server-line.ts';

const read = (text: string | Buffer) => readServerLine(Buffer.from(text as string));

const unusable = test.macro({
  exec(t, line: string | Buffer, why: string) {
    t.deepEqual(read(line), { kind: 'unusable', why });
  },
  title: (_, line: string | Buffer, why: string) =>
    `drops ${JSON.stringify(line.toString()).slice(0, 60)} as ${why}`,
});

test(unusable, '', 'blank');
test(unusable, 'Listening on stdio …', 'not_json');
test(unusable, '{"half":', 'not_json_rpc');
test(unusable, '{"jsonrpc":"2.0",', 'not_json');
test(unusable, '[info] started', 'not_an_object');
test(unusable, '[]', 'not_an_object');
test(unusable, '42', 'not_an_object');
test(unusable, ' null ', 'not_json');
test(unusable, 'this is not a message', 'not_json');
test(unusable, 'nullable', 'not_json');
test(unusable, '{"id":1,"result":{}}', 'not_json_rpc');
test(unusable, '{"jsonrpc":"1.0","id":1,"result":{}}', 'not_json_rpc');
test(unusable, '{"jsonrpc":"2.0","id":1}', 'no_result');
test(unusable, '{"jsonrpc":"2.0","id":1.5,"result":{}}', 'bad_id');
test(unusable, '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}', 'bad_id');
test(unusable, '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}', 'result_and_error');
test(unusable, '{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"x"}}', 'bad_error');
test(unusable, '{"jsonrpc":"2.0","id":1,"id":2,"result":{}}', 'duplicate_key');
test(unusable, '{"jsonrpc":"2.0","method":"x","params":[1]}', 'bad_params');
test(unusable, '{"jsonrpc":"2.0","id":{},"method":"x"}', 'bad_id');
test(unusable, Buffer.from([0x7b, 0xc3, 0x7d]), 'not_utf8');
test(unusable, `{"jsonrpc":"2.0","id":1,"result":${'['.repeat(100)}${']'.repeat(100)}}`, 'too_deep');

test('keeps the exact text of a result, large integers included', (t) => {
  const line = read('{"jsonrpc":"2.0","id":7,"result":{"n":9007199254740993,"e":1e400}}');
  t.true(
    line.kind === 'response' && line.outcome.ok && line.outcome.raw === '{"n":9007199254740993,"e":1e400}',
  );
});

test('id 0 is a real id, of a response and of a request', (t) => {
  t.like(read('{"jsonrpc":"2.0","id":0,"result":{}}'), { kind: 'response', id: 0 });
  t.like(read('{"jsonrpc":"2.0","id":0,"method":"roots/list"}'), {
    kind: 'request',
    id: 0,
    method: 'roots/list',
  });
});

test('a result beyond ASCII is passed on byte for byte, and read as what it means', (t) => {
  const result = '{"text":"größer, 絵, \\ud83d\\ude00 and 😀"}';
  const line = read(`{"jsonrpc":"2.0","id":1,"result": ${result} }`);
  t.true(line.kind === 'response' && line.outcome.ok);
  if (line.kind !== 'response' || !line.outcome.ok) return;
  t.is(line.outcome.bytes?.toString(), result);
  t.is(line.outcome.raw, result);
  t.deepEqual(line.outcome.result, { text: 'größer, 絵, 😀 and 😀' });
});

test('messages and errors beyond ASCII mean what they say', (t) => {
  t.like(read('{"jsonrpc":"2.0","method":"notifications/größer","params":{"text":"絵"}}'), {
    method: 'notifications/größer',
    params: { text: '絵' },
  });
  t.like(read('{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"größer"}}'), {
    outcome: { ok: false, error: { code: 1, message: 'größer' } },
  });
  t.like(read('{"jsonrpc":"2.0","id":"größer","result":{}}'), { id: 'größer' });
});

// Read byte by byte the two keys differ; whoever reads the text would see one of them twice.
test(unusable, '{"jsonrpc":"2.0","id":1,"result":{},"ä":1,"\\u00e4":2}', 'duplicate_key');
test(unusable, '{"jsonrpc":"2.0","id":1,"r\\u0065sult":{},"result":{"x":"ä"}}', 'duplicate_key');
test(unusable, '{"jsonrpc":"2.0","id":1,"result":{"text":"ä"}\u00a0}', 'not_json');
test(unusable, Buffer.from('{"jsonrpc":"2.0","id":1,"result":"\xe4"}', 'latin1'), 'not_utf8');

test('a line is read the same whatever its strings hold, as text and as bytes', (t) => {
  const ran = fc.check(
    fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }), (value) => {
      const text = JSON.stringify(value);
      const line = read(`{"jsonrpc":"2.0","id":1,"result":${text}}`);
      if (line.kind !== 'response' || !line.outcome.ok) return false;
      return line.outcome.raw === text && JSON.stringify(line.outcome.result) === text;
    }),
  );
  t.is(ran.counterexample, null);
});

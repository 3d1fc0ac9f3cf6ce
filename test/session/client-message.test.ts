import test from 'ava';
import fc from 'fast-check';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { idOf, readClientMessage } from '../../orchestrator/session/client-message.ts';

const read = (text: string) => readClientMessage(text, JSON.parse(text));

const refused = test.macro({
  exec(t, text: string, id: string | number | null) {
    const error = t.throws(() => read(text), { instanceOf: GantryError }) as GantryError;
    t.is(error.code, 'invalid_request');
    t.is(idOf(JSON.parse(text)), id);
  },
  title: (_, text: string) => `refuses ${text.slice(0, 70)}`,
});

test(refused, '[]', null);
test(refused, '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', null);
test(refused, '"text"', null);
test(refused, 'null', null);
test(refused, '{}', null);
test(refused, '{"jsonrpc":"1.0","id":1,"method":"ping"}', 1);
test(refused, '{"id":1,"method":"ping"}', 1);
test(refused, '{"jsonrpc":"2.0","id":null,"method":"ping"}', null);
test(refused, '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', null);
test(refused, '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', null);
test(refused, '{"jsonrpc":"2.0","id":{},"method":"ping"}', null);
test(refused, '{"jsonrpc":"2.0","id":1,"method":""}', 1);
test(refused, '{"jsonrpc":"2.0","id":1,"method":7}', 1);
test(refused, '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 1);
test(refused, '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', 1);
test(refused, '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}', 1);
test(refused, '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 2);
test(refused, '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', 1);
test(refused, '{"jsonrpc":"2.0","result":{}}', null);

test('reads requests, notifications and answers', (t) => {
  t.like(read('{"jsonrpc":"2.0","id":0,"method":"ping"}'), { kind: 'request', id: 0, method: 'ping' });
  t.like(read('{"jsonrpc":"2.0","method":"notifications/initialized"}'), { kind: 'notification' });
  t.like(read('{"jsonrpc":"2.0","id":"a","result":{"x":1}}'), {
    kind: 'response',
    id: 'a',
    answer: { result: { x: 1 } },
  });
  t.like(read('{"jsonrpc":"2.0","id":2,"error":{"code":-1,"message":"no"}}'), { kind: 'response', id: 2 });
});

test('any JSON value is either understood or refused with a GantryError', (t) => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        return ['request', 'notification', 'response'].includes(read(text).kind);
      } catch (error) {
        return error instanceof GantryError && error.code === 'invalid_request';
      }
    }),
  );
  t.throws(() => read('{}'));
});

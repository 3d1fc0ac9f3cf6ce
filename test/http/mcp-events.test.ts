import test from 'ava';
import { textOf } from '../../orchestrator/http/mcp/sse.ts';

test('a message is one event, and no carriage return can end its line', (t) => {
  t.is(textOf('{"a":1}'), 'event: message\ndata: {"a":1}\n\n');
  t.is(textOf({ data: '{\r"a":1}\r', id: 'x.1' }), 'event: message\nid: x.1\ndata: { "a":1} \n\n');
});

test('an event without data has no type, so that nobody takes it for a message', (t) => {
  t.is(textOf({ data: '', id: 'x.0', retryMs: 1000 }), 'id: x.0\nretry: 1000\ndata: \n\n');
});

test('an event can be of another type', (t) => {
  t.is(textOf({ data: '/messages/x', event: 'endpoint' }), 'event: endpoint\ndata: /messages/x\n\n');
});

/** Bodies that are refused with -32700. */
export const NOT_JSON = [
  '',
  '{',
  'hello',
  '{"jsonrpc":"2.0",}',
  "{'jsonrpc':'2.0'}",
  '{"a":1}{"b":2}',
  '\u0000',
];

/** What is wrong, and values that are refused with -32600. */
export const NOT_JSON_RPC: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['a number', 42],
  ['a string', 'initialize'],
  ['an empty object', {}],
  ['an array', [{ jsonrpc: '2.0', id: 1, method: 'ping' }]],
  ['an empty array', []],
  ['another version', { jsonrpc: '1.0', id: 1, method: 'ping' }],
  ['no version', { id: 1, method: 'ping' }],
  ['a method that is no string', { jsonrpc: '2.0', id: 1, method: 7 }],
  ['an id that is an object', { jsonrpc: '2.0', id: {}, method: 'ping' }],
  ['an id that is a boolean', { jsonrpc: '2.0', id: true, method: 'ping' }],
  ['an id that is a fraction', { jsonrpc: '2.0', id: 1.5, method: 'ping' }],
  ['params that are a string', { jsonrpc: '2.0', id: 1, method: 'ping', params: 'x' }],
  ['an unknown top-level key', { jsonrpc: '2.0', id: 1, method: 'ping', extra: 1 }],
  ['both a result and an error', { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: 'x' } }],
];

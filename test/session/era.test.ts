import test from 'ava';
import fc from 'fast-check';
import { eraOf } from '../../orchestrator/session/index.ts';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const claim = (version: unknown) => ({ params: { _meta: { [VERSION]: version } } });

test('a body that claims a version is modern whatever the header, the method and the version say', (t) => {
  fc.assert(
    fc.property(fc.option(fc.string()), fc.string(), fc.jsonValue(), (header, method, version) => {
      t.is(eraOf(header, { jsonrpc: '2.0', id: 1, method, ...claim(version) }), 'modern');
    }),
  );
});

test('without a claim only the header can make a request modern, and only by naming a modern revision', (t) => {
  const versions = fc.oneof(fc.constantFrom('2025-11-25', '2025-03-26', ''), fc.string());
  fc.assert(
    fc.property(versions, fc.dictionary(fc.string(), fc.jsonValue()), (header, params) => {
      fc.pre(header !== '2026-07-28');
      t.is(eraOf(header, { method: 'tools/list', params }), 'legacy');
    }),
  );
  t.is(eraOf('2026-07-28', { method: 'tools/list' }), 'modern');
  t.is(eraOf('2026-07-28', null), 'modern');
  t.is(eraOf(null, null), 'legacy');
});

test('an initialize without a claim is legacy, and so is a batch', (t) => {
  t.is(eraOf('2026-07-28', { method: 'initialize', params: {} }), 'legacy');
  t.is(eraOf('2026-07-28', [{ method: 'tools/list' }]), 'legacy');
});

test('any value at all gets one of the two verdicts, and the same one twice', (t) => {
  fc.assert(
    fc.property(fc.option(fc.string()), fc.anything(), (header, body) => {
      const era = eraOf(header, body);
      t.true(era === 'legacy' || era === 'modern');
      t.is(eraOf(header, body), era);
    }),
  );
});

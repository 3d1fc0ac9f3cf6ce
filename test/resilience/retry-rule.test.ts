import test from 'ava';
import fc from 'fast-check';
import { type ErrorCode, GantryError, type ToolView } from '../../orchestrator/kernel/index.ts';
import { retryVerdict } from '../../orchestrator/resilience/index.ts';

const TOOLS: readonly ToolView[] = [
  { name: 'plain' },
  { name: 'read', annotations: { readOnlyHint: true } },
  { name: 'set', annotations: { readOnlyHint: false, idempotentHint: true } },
  { name: 'false', annotations: { readOnlyHint: false, idempotentHint: false } },
  { name: 'text', annotations: { readOnlyHint: 'true', idempotentHint: 1 } },
  { name: 'odd', annotations: 'readOnlyHint' },
  { name: 'twice', annotations: { readOnlyHint: true } },
  { name: 'twice' },
];

const died = new GantryError('replica_failed', 'it died', { detail: { mayHaveRun: true } });
const unsent = new GantryError('replica_failed', 'it had died', { detail: { mayHaveRun: false } });

function call(name: unknown) {
  return { method: 'tools/call', params: { name } };
}

test('a call of which nothing was sent is tried again, whatever it does', (t) => {
  for (const error of [
    unsent,
    new GantryError('no_replica', 'draining'),
    new GantryError('queue_full', 'its link is full'),
  ]) {
    t.deepEqual(retryVerdict(error, call('plain'), TOOLS), { retry: true, why: 'not_sent' });
  }
});

test('a call that may have run is tried again only where its tool is marked', (t) => {
  for (const name of ['read', 'set']) {
    t.deepEqual(retryVerdict(died, call(name), TOOLS), { retry: true, why: 'idempotent' });
  }
  for (const name of ['plain', 'false', 'text', 'odd', 'twice', 'unknown', undefined, 7]) {
    t.deepEqual(retryVerdict(died, call(name), TOOLS), { retry: false, why: 'may_have_run' }, String(name));
  }
  t.false(retryVerdict(died, call('read'), []).retry, 'a list that is not known marks nothing');
});

test('methods that only read are tried again', (t) => {
  for (const method of ['tools/list', 'prompts/get', 'resources/read', 'ping', 'completion/complete']) {
    t.deepEqual(retryVerdict(died, { method }, []), { retry: true, why: 'read_only' });
  }
  for (const method of ['logging/setLevel', 'resources/subscribe', 'made/up']) {
    t.deepEqual(retryVerdict(died, { method }, []), { retry: false, why: 'may_have_run' });
  }
});

test('answers, timeouts and what the caller withdrew are no failures', (t) => {
  const codes: ErrorCode[] = ['call_timeout', 'cancelled', 'mcp_error', 'server_not_found', 'internal'];
  for (const code of codes) {
    t.deepEqual(retryVerdict(new GantryError(code, ''), { method: 'ping' }, []), {
      retry: false,
      why: 'not_a_failure',
    });
  }
  t.false(retryVerdict(new Error('a bug'), { method: 'ping' }, []).retry);
});

test('a tool that is not marked never runs a second time, whatever else is true', (t) => {
  const hints = fc.record({ readOnlyHint: fc.anything(), idempotentHint: fc.anything() });
  t.notThrows(() =>
    fc.assert(
      fc.property(hints, fc.array(fc.string()), (annotations, names) => {
        const marked = annotations.readOnlyHint === true || annotations.idempotentHint === true;
        const tools = [{ name: 'x', annotations }, ...names.map((name) => ({ name }))];
        return retryVerdict(died, call('x'), tools).retry === (marked && !names.includes('x'));
      }),
    ),
  );
});

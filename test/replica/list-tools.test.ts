import test from 'ava';
import type { JsonRpcOutcome } from '../../orchestrator/kernel/index.ts';
import { listTools } from '../../orchestrator/replica/index.ts';

const options = { callTimeoutMs: 1000, maxCallMs: 1000 };

function answering(answer: (page: number) => object) {
  const asked: (Record<string, unknown> | undefined)[] = [];
  const call = async (
    _method: string,
    params: Record<string, unknown> | undefined,
  ): Promise<JsonRpcOutcome> => {
    asked.push(params);
    const result = answer(asked.length);
    return 'code' in result
      ? { ok: false, error: { code: -32000, message: 'no' } }
      : { ok: true, result, raw: JSON.stringify(result) };
  };
  return { asked, call };
}

test('all pages are read, each tool as it was written, and what is no tool is left out', async (t) => {
  const source = answering((page) =>
    page === 1
      ? { tools: [{ name: 'a', extra: 1 }, null, { title: 'nameless' }], nextCursor: '2' }
      : { tools: [{ name: 'b' }], nextCursor: '' },
  );
  t.deepEqual(await listTools(source, options), {
    tools: [{ name: 'a', extra: 1 }, { name: 'b' }],
    error: null,
  });
  t.deepEqual(source.asked, [undefined, { cursor: '2' }]);
});

test('a server that pages for ever is cut off, by pages and by size', async (t) => {
  const endless = answering(() => ({ tools: [{ name: 'a' }], nextCursor: 'more' }));
  t.is((await listTools(endless, options)).tools.length, 100);
  const description = 'x'.repeat(6 * 1024 * 1024);
  const huge = answering(() => ({ tools: [{ name: 'a', description }], nextCursor: 'more' }));
  t.is((await listTools(huge, options)).tools.length, 3);
});

test('a refused page ends the list with the error of the server', async (t) => {
  const source = answering((page) =>
    page === 1 ? { tools: [{ name: 'a' }], nextCursor: '2' } : { code: -32000 },
  );
  t.like(await listTools(source, options), { tools: [{ name: 'a' }], error: { code: -32000 } });
});

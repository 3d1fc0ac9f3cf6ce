import test from 'ava';
import type { Offers } from '../../../orchestrator/kernel/index.ts';
import { type Member, mergedList, ShownLists } from '../../../orchestrator/session/aggregate/merged-lists.ts';

function offers(some: Partial<Offers>): Offers {
  return { tools: [], prompts: [], resources: [], resourceTemplates: [], instructions: null, ...some };
}

function member(server: string, some: Partial<Offers> | null, state = 'ready'): Member {
  return { server, offers: some === null ? null : offers(some), state, reason: some === null ? 'oom' : null };
}

test('lists are merged server by server, each entry under its shared name and else as it was', (t) => {
  const members = [
    member('a', { tools: [{ name: 'z', inputSchema: { type: 'object' } }, { name: 'b' }] }),
    member('b', { tools: [{ name: 'z', title: 'Z' }], resources: [{ uri: 'x:1', name: 'one' }] }),
  ];
  t.deepEqual(mergedList('tools', members).result, {
    tools: [
      { name: 'a__z', inputSchema: { type: 'object' } },
      { name: 'a__b' },
      { name: 'b__z', title: 'Z' },
    ],
  });
  t.deepEqual(mergedList('resources', members).result, {
    resources: [{ uri: 'b+x:1', name: 'one' }],
  });
  const templates = [member('a', { resourceTemplates: [{ uriTemplate: 'x:{y}' }] })];
  t.deepEqual(mergedList('resourceTemplates', templates).result, {
    resourceTemplates: [{ uriTemplate: 'a+x:{y}' }],
  });
});

test('a server that cannot be shown hides no other, and is named with its state', (t) => {
  const members = [member('a', null, 'failed'), member('b', { prompts: [{ name: 'p' }] })];
  const { result, raw } = mergedList('prompts', members);
  t.deepEqual(result, {
    prompts: [{ name: 'b__p' }],
    _meta: { 'gantry/leftOut': [{ server: 'a', state: 'failed', reason: 'oom' }] },
  });
  t.deepEqual(JSON.parse(raw), result as object);
});

test('a client is told of what has changed since it was shown it, once, and of nothing that it never saw', (t) => {
  const shown = new ShownLists();
  const before = [member('a', { tools: [{ name: 'x' }], prompts: [{ name: 'p' }] })];
  shown.show('tools', before);
  t.deepEqual(shown.changes([member('a', { tools: [{ name: 'x' }], prompts: [] })]), []);
  const after = [member('a', { tools: [{ name: 'x' }] }), member('b', { tools: [{ name: 'y' }] })];
  t.deepEqual(shown.changes(after), ['notifications/tools/list_changed']);
  t.deepEqual(shown.changes(after), []);
  shown.show('resources', after);
  shown.show('resourceTemplates', after);
  const more = [member('a', { tools: [{ name: 'x' }], resources: [{ uri: 'u' }], resourceTemplates: [{}] })];
  t.deepEqual(shown.changes(more), [
    'notifications/tools/list_changed',
    'notifications/resources/list_changed',
  ]);
  t.deepEqual(shown.changes([member('a', null, 'failed')]).length, 2);
});

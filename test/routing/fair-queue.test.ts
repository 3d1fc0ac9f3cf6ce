import test from 'ava';
import fc from 'fast-check';
import { FairQueue, type Owner } from '../../orchestrator/routing/fair-queue.ts';

type Item = { readonly owner: Owner; readonly number: number };

function item(principal: string, session: string | null, number = 0): Item {
  return { owner: { principal, session }, number };
}

function drained(queue: FairQueue<Item>): Item[] {
  const items: Item[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) items.push(next);
  return items;
}

const owner = fc.record({
  principal: fc.constantFrom('alice', 'bob', 'carol'),
  session: fc.constantFrom(null, 's1', 's2', 's3'),
});

test('principals take turns, and within one its sessions', (t) => {
  const queue = new FairQueue<Item>();
  for (let number = 0; number < 3; number++) queue.push(item('alice', 'a', number));
  queue.push(item('alice', 'b'));
  queue.push(item('bob', null, 0));
  queue.push(item('bob', null, 1));
  t.deepEqual(
    drained(queue).map(({ owner: { principal, session }, number }) => `${principal} ${session} ${number}`),
    ['alice a 0', 'bob null 0', 'alice b 0', 'bob null 1', 'alice a 1', 'alice a 2'],
  );
});

test('whoever waits is served before anybody else is served twice', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(owner, { maxLength: 60 }), (owners) => {
        const queue = new FairQueue<Item>();
        const waiting: Item[] = owners.map((whose, number) => ({ owner: whose, number }));
        for (const one of waiting) queue.push(one);
        const left = new Set(waiting);
        const sinceTurn = new Map<string, Map<string, number>>();
        while (left.size > 0) {
          const served = queue.shift();
          if (served === undefined || !left.delete(served)) return false;
          const { principal } = served.owner;
          sinceTurn.delete(principal);
          for (const other of new Set([...left].map((one) => one.owner.principal))) {
            if (other === principal) continue;
            const seen = sinceTurn.get(other) ?? new Map<string, number>();
            sinceTurn.set(other, seen.set(principal, (seen.get(principal) ?? 0) + 1));
            // Served once before and once after the other came up would be two in a row of waiting.
            if ((seen.get(principal) ?? 0) > 1) return false;
          }
        }
        return queue.size === 0 && queue.shift() === undefined;
      }),
    ),
  );
});

test('calls of one session keep their order', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(owner, { maxLength: 60 }), (owners) => {
        const queue = new FairQueue<Item>();
        owners.forEach((whose, number) => {
          queue.push({ owner: whose, number });
        });
        const last = new Map<string, number>();
        return drained(queue).every(({ owner: whose, number }) => {
          const key = JSON.stringify(whose);
          const inOrder = number > (last.get(key) ?? -1);
          last.set(key, number);
          return inOrder;
        });
      }),
    ),
  );
});

test('what is pushed and not deleted comes out, once, and the size says how many', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.tuple(owner, fc.constantFrom('push', 'shift', 'delete'))), (steps) => {
        const queue = new FairQueue<Item>();
        const model = new Set<Item>();
        steps.forEach(([whose, step], number) => {
          const one = { owner: whose, number };
          if (step === 'push') {
            queue.push(one);
            model.add(one);
          } else if (step === 'shift') {
            const served = queue.shift();
            if (served !== undefined && !model.delete(served)) throw new Error('it was not waiting');
          } else {
            const victim = [...model][number % Math.max(1, model.size)];
            if (victim !== undefined && (!queue.delete(victim) || queue.delete(victim)))
              throw new Error('once');
            if (victim !== undefined) model.delete(victim);
          }
          if (queue.size !== model.size) throw new Error('size');
        });
        return drained(queue).every((one) => model.delete(one)) && model.size === 0;
      }),
    ),
  );
});

test('only somebody with more calls waiting gives way, with the last of them', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(owner, { maxLength: 40 }), owner, (owners, newcomer) => {
        const queue = new FairQueue<Item>();
        const items = owners.map((whose, number) => ({ owner: whose, number }));
        for (const one of items) queue.push(one);
        const ofPrincipal = (principal: string) => items.filter((one) => one.owner.principal === principal);
        const ofSession = ({ principal, session }: Owner) =>
          ofPrincipal(principal).filter((one) => one.owner.session === session);
        const most = Math.max(0, ...['alice', 'bob', 'carol'].map((name) => ofPrincipal(name).length));
        const rival = queue.rival(newcomer);
        const own = ofPrincipal(newcomer.principal);
        if (rival === null) {
          const sessions = own.map((one) => ofSession(one.owner).length);
          return most <= own.length + 1 && Math.max(0, ...sessions) <= ofSession(newcomer).length + 1;
        }
        if (ofSession(rival.owner).at(-1) !== rival) return false;
        return rival.owner.principal === newcomer.principal
          ? ofSession(rival.owner).length > ofSession(newcomer).length + 1
          : ofPrincipal(rival.owner.principal).length === most && most > own.length + 1;
      }),
    ),
  );
});

test('a flood in a full queue gives way to a newcomer and never to more of itself', (t) => {
  const queue = new FairQueue<Item>();
  for (let number = 0; number < 10; number++) queue.push(item('alice', 'a', number));
  t.is(queue.rival({ principal: 'alice', session: 'a' }), null);
  t.like(queue.rival({ principal: 'bob', session: null }), item('alice', 'a', 9));
  t.like(queue.rival({ principal: 'alice', session: 'other' }), item('alice', 'a', 9));
});

import type { TestFn } from 'ava';
import type { EraVerdict } from '../../orchestrator/kernel/index.ts';
import type { EraMemory } from '../../orchestrator/lifecycle/index.ts';

export type EraMemoryUnderTest = {
  readonly name: string;
  /** One that knows nothing. */
  open(): Promise<{ readonly memory: EraMemory; readonly close: () => Promise<void> }>;
};

/** What was seen, and what should have been. */
type Seen = readonly [seen: unknown, expected: unknown];

const cases = new Map<string, (memory: EraMemory) => Promise<Seen[]>>();

const both: EraVerdict = { era: 'both', mixed: true };
const modern: EraVerdict = { era: 'modern', mixed: false };

cases.set('what was never found out is not known', async (memory) => [[await memory.get('a'), null]]);

cases.set('every verdict comes back whole, each under its own key', async (memory) => {
  const verdicts: [string, EraVerdict][] = [
    ['a', both],
    ['b', { era: 'both', mixed: false }],
    ['c', modern],
    ['d', { era: 'legacy', mixed: false }],
  ];
  for (const [key, verdict] of verdicts) await memory.put(key, verdict);
  return Promise.all(verdicts.map(async ([key, verdict]): Promise<Seen> => [await memory.get(key), verdict]));
});

cases.set('the last verdict counts', async (memory) => {
  await memory.put('a', modern);
  await memory.put('a', both);
  return [[await memory.get('a'), both]];
});

cases.set('keys that mean something to JavaScript are keys like any other', async (memory) => {
  const before = await memory.get('constructor');
  await memory.put('constructor', modern);
  return [
    [before, null],
    [await memory.get('constructor'), modern],
    [await memory.get('__proto__'), null],
  ];
});

/** Runs every case against a memory of its own. */
export function eraMemoryContract(test: TestFn, subject: EraMemoryUnderTest): void {
  for (const [title, run] of cases) {
    test(`${subject.name} era memory: ${title}`, async (t) => {
      const { memory, close } = await subject.open();
      t.teardown(close);
      for (const [seen, expected] of await run(memory)) t.deepEqual(seen, expected);
    });
  }
}

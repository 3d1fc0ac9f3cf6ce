import test from 'ava';
import { Batch } from '../../orchestrator/bus/batch.ts';

/** Sizes of what was sent, request by request, for items that came at the same time. */
async function sent(most: number, items: readonly number[], bytesOf?: (item: number) => number) {
  const requests: (readonly number[])[] = [];
  const send = async (batch: readonly number[]) => {
    requests.push(batch);
    return batch.map((item) => -item);
  };
  const batch = new Batch<number, number>(most, send, bytesOf);
  const results = await Promise.all(items.map((item) => batch.add(item)));
  return { requests, results };
}

test('what comes at the same time goes together, up to so many', async (t) => {
  const { requests, results } = await sent(2, [1, 2, 3, 4, 5]);
  t.deepEqual(requests, [[1, 2], [3, 4], [5]]);
  t.deepEqual(results, [-1, -2, -3, -4, -5]);
});

test('a request is no larger than 4 MiB, and what is larger by itself goes alone', async (t) => {
  const { requests, results } = await sent(
    100,
    [1, 3, 1, 9, 2, 2, 1],
    (mebibytes) => mebibytes * 1024 * 1024,
  );
  t.deepEqual(requests, [[1, 3], [1], [9], [2, 2], [1]]);
  t.deepEqual(results, [-1, -3, -1, -9, -2, -2, -1]);
});

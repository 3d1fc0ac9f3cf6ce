import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import { streamOf, TASK_LIMITS } from '../../orchestrator/bus/index.ts';
import { RedisTaskStore } from '../../orchestrator/registry/index.ts';
import { task } from '../contracts/task-store/words.ts';

// What needs no Redis. The contract runs against a real one in test/e2e.

test('a script with more arguments than fit on the stack reaches Redis whole', async (t) => {
  let heard = '';
  // It greets, hears a command and goes away: what the store says then is not what is asked here.
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      const text = String(chunk);
      heard += text;
      if (text.includes('hello')) socket.write('%0\r\n');
      for (const _ of text.matchAll(/SETINFO/g)) socket.write('+OK\r\n');
      if (heard.includes('last-task')) socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const url = `redis://127.0.0.1:${port}/0`;
  const store = new RedisTaskStore({ url, timeoutMs: 20_000, limits: TASK_LIMITS, streamOf });
  t.teardown(async () => {
    await store.close();
    server.close();
  });
  // Ava's threads have a stack of 4 MiB, four times that of the orchestrator, where a fifth of it is too much.
  const tasks = Array.from({ length: 60_000 }, (_, n) => task(`task-${n}`));
  const error = await t.throwsAsync(store.enqueue([...tasks, task('last-task')]));
  t.like(error, { code: 'registry_unavailable' });
  t.notRegex(String(error?.cause), /call stack/);
  // The command, digest, number of keys, prefix and two limits before eleven of each task.
  t.regex(heard, new RegExp(`\\*${6 + 60_001 * 11}\r\n\\$7\r\nevalsha`));
});

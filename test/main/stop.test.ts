import { EventEmitter } from 'node:events';
import test from 'ava';
import { onceStopped } from '../../orchestrator/stop.ts';

class FakeProcess extends EventEmitter {
  readonly codes: number[] = [];
  exit(code: number): void {
    this.codes.push(code);
  }
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} asks for a stop and leaves time for it`, async (t) => {
    const process = new FakeProcess();
    const stopped = onceStopped(process as unknown as NodeJS.Process);
    process.emit(signal);
    await stopped;
    t.deepEqual(process.codes, []);
  });
}

test('whoever asks a second time, with either signal, does not wait', async (t) => {
  const process = new FakeProcess();
  const stopped = onceStopped(process as unknown as NodeJS.Process);
  process.emit('SIGTERM');
  await stopped;
  process.emit('SIGINT');
  t.deepEqual(process.codes, [1]);
});

import test from 'ava';
import { MemoryEventLog } from '../../orchestrator/session/index.ts';
import { eventLogContract } from '../contracts/event-log.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

eventLogContract(test, {
  name: 'memory',
  open: async () => {
    const clock = new FakeClock();
    return {
      log: new MemoryEventLog({ clock }),
      pass: async (ms) => clock.advance(ms),
      close: async () => {},
    };
  },
});

import test from 'ava';
import { MemoryTaskStore } from '../../orchestrator/bus/index.ts';
import { taskStoreContract } from '../contracts/task-store.ts';

taskStoreContract(test, {
  name: 'memory',
  open: async (limits) => {
    let now = 1_000_000;
    const pass = async (ms: number): Promise<void> => {
      now += ms;
    };
    return { store: new MemoryTaskStore({ limits, clock: { now: () => now } }), pass, close: async () => {} };
  },
});

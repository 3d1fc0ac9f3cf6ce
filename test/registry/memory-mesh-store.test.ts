import test from 'ava';
import { MemoryMeshStore } from '../../orchestrator/registry/index.ts';
import { meshStoreContract } from '../contracts/mesh-store.ts';

meshStoreContract(test, {
  name: 'memory',
  open: async () => {
    let now = 0;
    const pass = async (ms: number): Promise<void> => {
      now += ms;
    };
    return { store: new MemoryMeshStore({ clock: { now: () => now } }), pass, close: async () => {} };
  },
});

import test from 'ava';
import { MemoryServerStore } from '../../orchestrator/registry/index.ts';
import { serverStoreContract } from '../contracts/server-store.ts';

serverStoreContract(test, {
  name: 'memory',
  open: async (now) => new MemoryServerStore({ clock: { now } }),
});

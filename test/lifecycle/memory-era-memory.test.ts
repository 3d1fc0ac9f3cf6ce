import test from 'ava';
import { MemoryEraMemory } from '../../orchestrator/lifecycle/index.ts';
import { eraMemoryContract } from '../contracts/era-memory.ts';

eraMemoryContract(test, {
  name: 'memory',
  open: async () => ({ memory: new MemoryEraMemory(), close: async () => {} }),
});

import test from 'ava';
import { engineContract } from '../contracts/engine.ts';
import { fakePrograms } from '../contracts/engine-programs.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';

engineContract(test, async () => ({
  engine: new FakeEngine({ programs: fakePrograms }),
  program: (name) => ({ image: name, command: null }),
}));

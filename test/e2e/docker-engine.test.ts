import test from 'ava';
import { engineContract } from '../contracts/engine.ts';
import { shellPrograms } from '../contracts/engine-programs.ts';
import { realEngine, testImage } from './real-engine.ts';

engineContract(test, async () => {
  const engine = realEngine();
  const image = testImage();
  return { engine, program: (name) => ({ image, command: ['sh', '-c', shellPrograms[name]] }) };
});

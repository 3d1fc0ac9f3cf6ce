import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { engineAddress } from '../e2e/real-engine.ts';

/** What the engine of the stack itself says, past Gantry and its adapter. @throws Error where it does not answer */
export function fromEngine<T>(path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...engineAddress(), path, agent: false }, (response) => {
      text(response).then((body) => resolve(JSON.parse(body) as T), reject);
    });
    asked.on('error', reject).end();
  });
}

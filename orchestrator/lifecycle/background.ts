import { type Facts, messageOf } from '../kernel/index.ts';

/** Work that nobody waits for: its failure is told, where it would else end the process. */
export function inBackground(facts: Facts, where: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => facts.state({ type: 'trouble', where, message: messageOf(error) }));
}

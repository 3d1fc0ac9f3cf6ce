import type { Mesh } from './lifecycle/index.ts';

/**
 * Resolves at the first request to stop. A second one ends the process at once: whoever asks twice does not
 * want to wait for the drain.
 */
export function onceStopped(process: NodeJS.Process): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1);
      asked = true;
      resolve();
    });
  }
  return promise;
}

/** The longest drain that any server asks for. */
export function drainOf(mesh: Pick<Mesh, 'list' | 'spec'>): number {
  return Math.max(0, ...mesh.list().map(({ name }) => mesh.spec(name)?.timeouts.drainMs ?? 0));
}

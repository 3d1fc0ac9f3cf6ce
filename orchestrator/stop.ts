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

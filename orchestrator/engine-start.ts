import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dockerEngine, type Engine, type EnginePreparation } from './engine/index.ts';
import type { Environment } from './environment.ts';
import { messageOf } from './kernel/index.ts';

/** The Docker engine over mutual TLS, as the surroundings describe it. */
export async function connectEngine(
  environment: Environment,
  helperImage: string,
): Promise<Engine & EnginePreparation> {
  const { owner } = environment;
  const { host, port, certsDir } = environment.engine;
  const read = (file: string): Promise<Buffer> => readFile(join(certsDir, file));
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  return dockerEngine({ address: { host, port, ca, cert, key }, owner, helperImage });
}

/** Waits until the engine answers and says that it enforces limits. @throws Error naming the limits it ignores */
export async function requireLimits(
  engine: Engine,
  pauseMs: number,
  onTrouble: (message: string) => void,
): Promise<void> {
  let told = '';
  for (;;) {
    try {
      const { ignoredLimits } = await engine.info();
      if (ignoredLimits.length === 0) return;
      throw new IgnoredLimits(ignoredLimits);
    } catch (error) {
      if (error instanceof IgnoredLimits) throw error;
      const cause = messageOf(error);
      if (cause !== told) onTrouble(`Waiting for the engine: ${cause}`);
      told = cause;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

class IgnoredLimits extends Error {
  constructor(limits: readonly string[]) {
    super(
      `The engine says that it ignores limits on ${limits.join(', ')}. MCP servers would run unbounded, so nothing is started. Enable these cgroup controllers on the host.`,
    );
  }
}

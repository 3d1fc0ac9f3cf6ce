import type { ImageBuildOptions } from 'dockerode';
import { type BuildOptions, EngineError } from '../engine.ts';
import type { DockerConnection } from './connection.ts';
import { INSTALL_NETWORK } from './networks.ts';
import { Transcript } from './progress.ts';
import { transfer } from './transfer.ts';

/** The kernel's default period of CPU accounting, in microseconds. */
const CPU_PERIOD_US = 100_000;

/**
 * Builds with the classic builder, the one every daemon has behind its plain API. It enforces memory and
 * CPU per step; the time is kept here.
 */
export async function build(connection: DockerConnection, options: BuildOptions): Promise<void> {
  const transcript = new Transcript();
  const { memoryBytes, cpus } = options.limits;
  const query = {
    t: options.tag,
    version: '1',
    networkmode: options.network === 'install' ? INSTALL_NETWORK : 'none',
    memory: memoryBytes,
    memswap: memoryBytes,
    cpuperiod: CPU_PERIOD_US,
    cpuquota: Math.round(cpus * CPU_PERIOD_US),
    labels: options.labels,
    buildargs: options.buildArgs,
    rm: true,
    forcerm: true,
    pull: false,
  };
  const end = await transfer({
    connection,
    transcript,
    timeoutMs: options.timeoutMs,
    // A step may be silent as long as it likes; only the whole is bounded.
    idleMs: options.timeoutMs,
    source: options.context,
    run: (docker, abortSignal) =>
      docker.buildImage(options.context, { ...query, abortSignal } as unknown as ImageBuildOptions),
  });
  if (end === null) return;
  // A refused build, such as one with a broken Dockerfile, has printed nothing.
  const output = transcript.lines.length > 0 ? transcript.lines : [end.message];
  if (end.why === 'timeout') {
    throw new EngineError('build_timeout', `The build was ${end.message}.`, { output });
  }
  throw new EngineError('build_failed', `The build failed: ${end.message}`, { output });
}

import { api, compose, dockerInside, dockerOnHost } from '../e2e/harness.ts';
import { until } from '../e2e/until.ts';

/** The container of the orchestrator on the host, running or not. */
export async function orchestratorId(): Promise<string> {
  return (await compose('ps', '-a', '-q', 'orchestrator')).trim();
}

/** As a crash ends it. Resolves when another start of it is ready. */
export async function killAndStart(): Promise<void> {
  const orchestrator = await orchestratorId();
  await dockerOnHost('kill', '--signal', 'KILL', orchestrator);
  await dockerOnHost('start', orchestrator);
  await readyAgain();
}

/** As an update ends it. Resolves when another start of it is ready. */
export async function restartPolitely(): Promise<void> {
  await compose('restart', 'orchestrator');
  await readyAgain();
}

export function readyAgain(): Promise<boolean> {
  return until('/readyz is 200', async () => (await api('GET', '/readyz')).status === 200, {
    timeoutMs: 90_000,
  });
}

/** Ids of all containers of the engine that belong to a mesh, or have another label, sorted. */
export async function labelledContainers(label = 'gantry.owner'): Promise<readonly string[]> {
  const filter = ['--filter', `label=${label}`, '--format', '{{.ID}}'];
  const listed = await dockerInside('ps', '-a', '--no-trunc', ...filter);
  return listed
    .split('\n')
    .filter((id) => id !== '')
    .sort();
}

import { type DockerConnection, QUICK_MS, SLOW_MS } from './connection.ts';
import { unlessStatus } from './errors.ts';
import { ownerLabels } from './owner.ts';

/** On containers the adapter makes for itself, so that nobody takes them for replicas. */
const HELPER_LABEL = 'gantry.helper';
/** No helper lives longer than its requests may take. */
const STALE_SECONDS = 180;

export function helperLabels(task: 'read-file' | 'chown', owner: string): Record<string, string> {
  return { ...ownerLabels(owner), [HELPER_LABEL]: task };
}

export function isHelper(labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels !== undefined && HELPER_LABEL in labels;
}

/** Removes helpers that a killed process left behind. */
export async function removeStaleHelpers(connection: DockerConnection): Promise<void> {
  const listed = await connection.request('container', QUICK_MS, (docker, abortSignal) =>
    docker.listContainers({ all: true, filters: { label: [HELPER_LABEL] }, abortSignal }),
  );
  const limit = Date.now() / 1000 - STALE_SECONDS;
  for (const { Id, Created } of listed) {
    if (Created > limit) continue;
    const removed = connection.request('container', SLOW_MS, (docker, abortSignal) =>
      docker.getContainer(Id).remove({ force: true, v: true, abortSignal }),
    );
    await unlessStatus(removed, 404, 409);
  }
}

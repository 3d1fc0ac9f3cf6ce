import type { ServerList } from './config/index.ts';
import type { Infrastructure } from './infrastructure.ts';
import { type Fact, type Facts, messageOf, systemClock } from './kernel/index.ts';
import type { Mesh } from './lifecycle/index.ts';
import { picturesOf } from './mesh-pictures.ts';
import { type MeshStore, Recorder } from './registry/index.ts';
import type { Remembered } from './remembered.ts';
import type { RunTime } from './run-time.ts';
import type { Sessions } from './session/index.ts';

/** How often a registry that was away is asked whether it is back. */
const ASK_EVERY_MS = 5000;

/** What may change the picture that the registry has of the mesh. */
const TELLING: ReadonlySet<Fact['type']> = new Set([
  'server.state',
  'server.offers',
  'replica.state',
  'session.opened',
  'session.closed',
  'engine.state',
  'breaker.state',
  'replica.restart',
]);

export type KeeperOptions = {
  readonly store: MeshStore;
  /** This start of the orchestrator. */
  readonly holder: string;
  readonly facts: Facts;
  readonly list: ServerList;
  readonly mesh: Mesh;
  readonly sessions: Sessions;
  readonly infrastructure: Infrastructure;
  readonly remembered: Remembered;
  readonly runTime: RunTime;
  /** The orchestrator is about to end. */
  readonly closing: AbortSignal;
  readonly onTrouble: (message: string) => void;
};

/** Keeps mesh and registry in step: what happens here is written there, what could not be read at the start is read later. */
export function keepRegistry(options: KeeperOptions): { close(): Promise<void> } {
  const { store, holder, facts, list, mesh, sessions, infrastructure, remembered } = options;
  const { runTime, closing, onTrouble } = options;
  const recorder = new Recorder({
    store,
    holder,
    pictures: picturesOf(mesh, sessions, infrastructure, closing),
    clock: systemClock,
    onTrouble,
  });
  const stopListening = facts.listen(
    () => recorder.touch(),
    (type) => TELLING.has(type),
  );
  recorder.touch();
  const stopAsking = everySoOften(async () => {
    await infrastructure.view();
    await list.storeIsBack();
    await runTime.load(true);
    if (await remembered.load()) obey(mesh, remembered);
  }, onTrouble);
  return {
    async close() {
      stopListening();
      stopAsking();
      await recorder.close();
    },
  };
}

/** The servers are running already: what was asked of them before is done to them now. */
function obey(mesh: Mesh, remembered: Remembered): void {
  for (const { name } of mesh.list()) {
    if (remembered.stopped(name)) mesh.stop(name);
    const configured = mesh.spec(name)?.replicas ?? 0;
    const replicas = remembered.replicas(name, configured);
    if (replicas !== configured) mesh.scale(name, replicas);
  }
}

function everySoOften(task: () => Promise<void>, onTrouble: (message: string) => void): () => void {
  let closed = false;
  let cancel = (): void => {};
  const again = (): void => {
    if (closed) return;
    cancel = systemClock.after(ASK_EVERY_MS, () => {
      task()
        .catch((error) => onTrouble(messageOf(error)))
        .finally(again);
    });
  };
  again();
  return () => {
    closed = true;
    cancel();
  };
}

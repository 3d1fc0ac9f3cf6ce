import { attach } from './docker/attach.ts';
import { ask, type DockerAddress, DockerConnection, QUICK_MS } from './docker/connection.ts';
import { DockerContainers } from './docker/containers.ts';
import { EventFeed } from './docker/events.ts';
import { removeStaleHelpers } from './docker/helpers.ts';
import { DockerImages } from './docker/images.ts';
import { readInfo } from './docker/info.ts';
import { ensureNetworks } from './docker/networks.ts';
import { OomLog } from './docker/oom-log.ts';
import { readStats } from './docker/stats.ts';
import { DockerVolumes } from './docker/volumes.ts';
import { type Engine, EngineError } from './engine.ts';

export type DockerEngineOptions = {
  readonly address: DockerAddress;
  /** Label `gantry.owner` of what the adapter makes by itself. */
  readonly owner: string;
  /** An image with `chown` in it, for giving new volumes to their user. */
  readonly helperImage?: string;
};

/** What only this engine needs before servers can be started. */
export type EnginePreparation = {
  /**
   * Makes the networks for installs and for `network: internet` where they are missing, and removes
   * containers the adapter made for itself in a process that was killed. May be repeated.
   */
  prepare(): Promise<void>;
};

/** The Docker engine as our port. Opens no connection until it is used. */
export function dockerEngine(options: DockerEngineOptions): Engine & EnginePreparation {
  const connection = new DockerConnection(options.address);
  const images = new DockerImages(connection, options.owner);
  const ooms = new OomLog();
  const containers = new DockerContainers(connection, images, ooms);

  return {
    async ping() {
      await connection.request('engine', QUICK_MS, (docker, signal) => ask(docker, 'ping', signal));
    },
    async prepare() {
      await ensureNetworks(connection, options.owner);
      await removeStaleHelpers(connection);
    },
    info: () => readInfo(connection),
    create: (spec) => containers.create(spec),
    attach: (containerId) => attach(connection, containerId),
    start: (containerId) => containers.start(containerId),
    stop: (containerId, graceMs) => containers.stop(containerId, graceMs),
    kill: (containerId) => containers.kill(containerId),
    pause: (containerId) => containers.pause(containerId),
    resume: (containerId) => containers.resume(containerId),
    remove: (containerId) => containers.remove(containerId),
    inspect: (containerId) => containers.inspect(containerId),
    list: (owner) => containers.list(owner),
    async stats(containerId) {
      const facts = await containers.inspect(containerId);
      if (facts === null) throw new EngineError('not_found', 'There is no such container.');
      // The flag stands for at least one, where the event was missed.
      const oomKills = Math.max(ooms.count(facts.id), facts.exit?.reason === 'oom' ? 1 : 0);
      return readStats(connection, facts, oomKills);
    },
    events(listener) {
      return new EventFeed(connection, (event) => {
        if (event.type === 'oom') ooms.add(event.containerId);
        if (event.type === 'destroy') ooms.forget(event.containerId);
        listener(event);
      });
    },
    images,
    volumes: new DockerVolumes(connection, options.helperImage ?? null, options.owner),
  };
}

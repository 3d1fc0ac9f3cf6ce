import { BRIDGE_PATH, type ContainerFacts, type ContainerSpec } from '../engine/index.ts';

/**
 * Compares what the daemon applied with what was asked. A daemon may ignore a limit with no more than a warning
 * (docs/architecture.md, Isolation), so only what it reads back counts.
 * @returns the first field that differs, in words for the user, or null.
 */
export function unappliedLimit(asked: ContainerSpec, facts: ContainerFacts): string | null {
  const { limits, isolation } = facts;
  const want = asked.limits;
  if (limits.memoryBytes !== want.memoryBytes) return differs('memory', want.memoryBytes, limits.memoryBytes);
  // Equal to memory means no swap beyond it.
  if (limits.memorySwapBytes !== want.memoryBytes)
    return differs('swap', want.memoryBytes, limits.memorySwapBytes);
  if (Math.abs(limits.cpus - want.cpus) > 0.001) return differs('cpus', want.cpus, limits.cpus);
  if (limits.pids !== want.pids) return differs('pids', want.pids, limits.pids);
  if (limits.nofile !== want.nofile) return differs('nofile', want.nofile, limits.nofile);
  if (isolation.privileged) return 'the container is privileged';
  if (!isolation.readOnlyRoot) return 'the root file system is writable';
  if (isolation.capAdd.length > 0) return `capabilities were added: ${isolation.capAdd.join(', ')}`;
  if (!isolation.capDrop.includes('ALL')) return 'capabilities were not dropped';
  if (!isolation.noNewPrivileges) return 'no-new-privileges is not set';
  if (isRoot(isolation.user)) return `the user is ${isolation.user === '' ? 'not set' : isolation.user}`;
  if (isolation.logDriver !== 'none') return differs('log driver', 'none', isolation.logDriver);
  if (isolation.ipcMode !== 'private') return differs('ipc', 'private', isolation.ipcMode);
  if (isolation.cgroupnsMode !== 'private')
    return differs('cgroup namespace', 'private', isolation.cgroupnsMode);
  if (isolation.runtime !== asked.runtime) return differs('runtime', asked.runtime, isolation.runtime);
  if (isolation.seccomp === 'unconfined') return 'seccomp is off';
  const wrong = unappliedFirstProcess(asked.bridge, isolation);
  if (wrong !== null) return wrong;
  return unappliedNetwork(asked.network, isolation.network);
}

/** The bridge has to be the first process, and is given one directory; without it nothing of the host is mounted. */
function unappliedFirstProcess(
  bridge: ContainerSpec['bridge'],
  { init, binds }: ContainerFacts['isolation'],
): string | null {
  if (bridge === null) {
    if (!init) return 'there is no init that reaps';
    return binds.length > 0 ? 'a host path is mounted' : null;
  }
  if (init) return 'another init runs before the bridge';
  const wanted = `${bridge.directory}:${BRIDGE_PATH}:ro`;
  return binds.length === 1 && binds[0] === wanted ? null : differs('mounts', wanted, binds.join(', '));
}

function unappliedNetwork(asked: ContainerSpec['network'], applied: string): string | null {
  if (asked === 'none') return applied === 'none' ? null : differs('network', 'none', applied);
  const shared = applied === 'host' || applied.startsWith('container:');
  return shared ? differs('network', 'a network of its own', applied) : null;
}

function isRoot(user: string): boolean {
  const name = user.split(':')[0] ?? '';
  return name === '' || name === 'root' || Number(name) === 0;
}

function differs(field: string, asked: unknown, applied: unknown): string {
  return `${field}: asked for ${asked}, applied ${applied === '' ? 'nothing' : applied}`;
}

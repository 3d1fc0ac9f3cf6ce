import { constants } from 'node:os';
import type { ContainerInspectInfo } from 'dockerode';
import type { ContainerExit, ContainerFacts } from '../engine.ts';

/** What the daemon says it applied; never what was asked for. */
export function containerFacts(info: ContainerInspectInfo, oomSeen: boolean): ContainerFacts {
  const { Config: config, HostConfig: host, State: state } = info;
  const ulimits = (host.Ulimits ?? []) as readonly { Name?: string; Hard?: number }[];
  const nofile = ulimits.find((limit) => limit.Name === 'nofile');
  const security = host.SecurityOpt ?? [];
  const exit = exitOf(state, oomSeen);
  return {
    id: info.Id,
    name: info.Name.replace(/^\//, ''),
    image: config.Image,
    labels: config.Labels ?? {},
    state: exit === null ? liveState(state) : 'exited',
    startedAt: time(state.StartedAt),
    exit,
    limits: {
      memoryBytes: host.Memory ?? 0,
      memorySwapBytes: host.MemorySwap ?? 0,
      cpus: (host.NanoCpus ?? 0) / 1e9,
      pids: host.PidsLimit ?? 0,
      nofile: nofile?.Hard ?? 0,
    },
    isolation: {
      network: host.NetworkMode ?? '',
      readOnlyRoot: host.ReadonlyRootfs === true,
      user: config.User,
      capAdd: host.CapAdd ?? [],
      capDrop: host.CapDrop ?? [],
      noNewPrivileges: security.some((option: string) => /^no-new-privileges([:=]true)?$/.test(option)),
      logDriver: host.LogConfig?.Type ?? '',
      ipcMode: host.IpcMode ?? '',
      cgroupnsMode: (host as { CgroupnsMode?: string }).CgroupnsMode ?? '',
      init: host.Init === true,
      privileged: host.Privileged === true,
      binds: info.Mounts.filter((mount) => mount.Type === 'bind').map(
        ({ Source, Destination, RW }) => `${Source}:${Destination}:${RW ? 'rw' : 'ro'}`,
      ),
      runtime: host.Runtime ?? '',
      seccomp: seccomp(security),
    },
  };
}

type DockerState = ContainerInspectInfo['State'];

function liveState(state: DockerState): 'created' | 'running' | 'paused' {
  if (state.Paused) return 'paused';
  return state.Running ? 'running' : 'created';
}

function exitOf(state: DockerState, oomSeen: boolean): ContainerExit | null {
  if (state.Running || state.Status === 'created') return null;
  const at = time(state.FinishedAt);
  if (at === null) return null;
  return classifyExit(state.ExitCode, state.OOMKilled || oomSeen, at);
}

/**
 * 137 alone is any SIGKILL, and the out-of-memory flag alone may be about a child the process survived:
 * only a failed exit together with the flag counts as `oom`. `killed`, a KILL of ours, is for the caller to
 * say: the engine cannot know whose it was.
 */
export function classifyExit(code: number, outOfMemory: boolean, at: string): ContainerExit {
  const signal = signalName(code);
  if (outOfMemory && code !== 0) return { reason: 'oom', code, signal, at };
  return { reason: signal === null ? 'exited' : 'signal', code, signal, at };
}

/** By convention of shells and inits a process ended by signal n is reported as 128 + n. */
function signalName(code: number): string | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === code - 128);
  return found?.[0] ?? null;
}

/** Docker writes year 1 for "never". */
function time(text: string): string | null {
  return text === '' || text.startsWith('0001-') ? null : new Date(text).toISOString();
}

function seccomp(security: readonly string[]): string | null {
  const option = security.find((entry) => /^seccomp[:=]/.test(entry));
  return option === undefined ? null : option.slice('seccomp='.length);
}

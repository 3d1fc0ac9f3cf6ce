import test from 'ava';
import {
  api,
  type Container,
  callTool,
  compose,
  dockerInside,
  dockerOnHost,
  type Json,
  standingContainer,
} from './harness.ts';
import { readyServer, untilReady } from './own-server.ts';

type Status = {
  readonly fields: Record<string, string>;
  readonly uidMap: readonly string[];
  readonly limits: { readonly nofile: readonly number[]; readonly core: readonly number[] };
  readonly uid: number;
  readonly gid: number;
};
type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

const MIB = 1024 * 1024;

test.before(async (t) => {
  t.timeout(300_000);
  await Promise.all(['plain', 'inspector', 'inspector-online'].map((name) => untilReady(name, 290_000)));
});

const inside = async <T>(tool: string, args: Json = {}): Promise<T> =>
  JSON.parse(await callTool('inspector', tool, args)) as T;
const runInside = (...argv: readonly string[]): Promise<Ran> => inside<Ran>('run', { argv });

test('inside a replica all capabilities are gone, even from the bounding set', async (t) => {
  const { fields } = await inside<Status>('status');
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
    t.is(fields[set], '0000000000000000', set);
});

test('inside a replica no-new-privileges is set and system calls are filtered', async (t) => {
  const { fields } = await inside<Status>('status');
  t.is(fields.NoNewPrivs, '1');
  t.is(fields.Seccomp, '2');
  for (const argv of [
    ['unshare', '--user', 'true'],
    ['unshare', '--net', 'true'],
    ['mount', '-t', 'tmpfs', 'x', '/tmp'],
  ]) {
    t.not((await runInside(...argv)).code, 0, argv.join(' '));
  }
});

test('inside a replica the user is not root, and root would be nobody outside', async (t) => {
  const { uid, gid, uidMap } = await inside<Status>('status');
  t.not(uid, 0);
  t.not(gid, 0);
  t.is(uidMap[0], '0');
  t.true(Number(uidMap[1]) >= 100_000, uidMap.join(' '));
});

test('inside a replica nothing can be written but a bounded tmpfs', async (t) => {
  for (const path of ['/x', '/etc/x', '/opt/fixtures/x', '/usr/x', '/var/x']) {
    const answer = await t.throwsAsync(callTool('inspector', 'write', { path, bytes: 1 }), undefined, path);
    t.regex(answer?.message ?? '', /Read-only file system|Permission denied/);
  }
  t.is(await callTool('inspector', 'write', { path: '/tmp/x', bytes: 1 * MIB }), String(MIB));
});

test('the tmpfs of a replica is bounded and nothing on it can be executed', async (t) => {
  const name = await readyServer(t, 'inspector.py');
  await t.throwsAsync(callTool(name, 'script', { directory: '/tmp' }), { message: /Permission denied/ });
  // More than any memory limit here allows: either the tmpfs is full first, or its pages count as memory.
  await t.throwsAsync(callTool(name, 'write', { path: '/tmp/large', bytes: 255 * MIB }), {
    message: /No space left/,
  });
  t.regex(await callTool(name, 'read', { path: '/proc/self/mounts' }), / \/tmp tmpfs [^ ]*noexec/);
});

test('of all files and directories of a replica, those that can be written lie on a bounded, non-executable tmpfs', async (t) => {
  const found = await inside<Record<string, string[]>>('writable');
  const mounts = await callTool('inspector', 'read', { path: '/proc/self/mounts' });
  t.deepEqual(found['/tmp'], ['/tmp']);
  for (const mount of Object.keys(found)) {
    const row = mounts.split('\n').find((line) => line.split(' ')[1] === mount) ?? '';
    // Message queues are counted in files and bytes by the kernel.
    if (mount !== '/dev/mqueue') t.regex(row, / tmpfs (?=.*noexec)(?=.*size=)/, `${mount}: ${row}`);
  }
});

test('inside a replica without network there is the loopback interface and no route', async (t) => {
  const { names, routes } = await inside<{ names: string[]; routes: string[] }>('interfaces');
  t.deepEqual(names, ['lo']);
  t.deepEqual(routes, []);
  const results = await inside<Record<string, string>>('connect', {
    targets: ['172.17.0.1:80', '8.8.8.8:53'],
  });
  for (const result of Object.values(results)) t.regex(result, /unreachable/i);
});

test('inside a replica there is no socket of an engine and no environment but its own', async (t) => {
  await t.throwsAsync(callTool('inspector', 'list', { path: '/run/docker.sock' }));
  await t.throwsAsync(callTool('inspector', 'list', { path: '/var/run/docker.sock' }));
  const names = await inside<string[]>('environment');
  for (const name of names) t.notRegex(name, /GANTRY|DOCKER|REDIS|TOKEN|PASSWORD/);
});

test('inside a replica open files are limited, and core dumps are off', async (t) => {
  const { limits } = await inside<Status>('status');
  const container = await standingContainer('inspector');
  t.deepEqual(limits.nofile, [container.limits.nofile, container.limits.nofile]);
  t.is(limits.core[1], 0);
  const name = await readyServer(t, 'inspector.py');
  const [count, verdict] = (await callTool(name, 'open_files')).split(' ');
  t.is(verdict, 'refused');
  t.true(Number(count) < container.limits.nofile);
});

test('inside a replica an init is the first process and reaps orphans', async (t) => {
  t.regex(await callTool('inspector', 'read', { path: '/proc/1/comm' }), /init/);
  t.is(await callTool('inspector', 'orphan'), '0');
});

test('two replicas share no namespace with each other, ipc and cgroup included', async (t) => {
  const other = JSON.parse(await callTool('inspector-online', 'namespaces')) as Record<string, string>;
  const own = await inside<Record<string, string>>('namespaces');
  for (const kind of ['ipc', 'cgroup', 'mnt', 'pid', 'net', 'uts']) t.not(own[kind], other[kind], kind);
});

test('the API shows what the engine applied, and the engine says the same', async (t) => {
  const container = await standingContainer('inspector');
  t.deepEqual(container.limits, {
    memoryBytes: 256 * MIB,
    memorySwapBytes: 256 * MIB,
    cpus: 1,
    pids: 128,
    nofile: 1024,
  });
  t.like(container.isolation, {
    network: 'none',
    readOnlyRoot: true,
    capAdd: [],
    capDrop: ['ALL'],
    noNewPrivileges: true,
    logDriver: 'none',
  });
  const [inspected] = JSON.parse(await dockerInside('inspect', container.id));
  const { HostConfig: host, Config: config } = inspected;
  t.like(host, {
    Memory: 256 * MIB,
    MemorySwap: 256 * MIB,
    PidsLimit: 128,
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    Privileged: false,
    CgroupnsMode: 'private',
    Runtime: 'runc',
    // The bridge of its image is the first process, and reaps.
    Init: false,
  });
  t.true(['private', 'none'].includes(host.IpcMode));
  t.is(host.NanoCpus || (host.CpuQuota / host.CpuPeriod) * 1e9, 1e9);
  t.deepEqual(host.CapDrop, ['ALL']);
  t.deepEqual([host.CapAdd ?? [], host.Devices ?? [], host.Binds ?? []], [[], [], []]);
  const directory = `/channels/gantry/${container.labels['gantry.directory']}`;
  t.is(inspected.Mounts.length, 1, 'the directory of its socket, and nothing else of the engine');
  t.like(inspected.Mounts[0], { Type: 'bind', Source: directory, Destination: '/run/gantry', RW: false });
  t.is(host.LogConfig.Type, 'none');
  t.true(host.SecurityOpt.some((option: string) => option.startsWith('no-new-privileges')));
  t.false(host.SecurityOpt.some((option: string) => option.includes('unconfined')));
  t.notRegex(String(config.User), /^(0|root)?(:|$)/);
  t.is(host.RestartPolicy.Name, 'no');
});

test('every container of the engine carries the labels that say whose it is', async (t) => {
  const { containers } = JSON.parse((await api('GET', '/api/v1/containers')).text) as {
    containers: Container[];
  };
  t.true(containers.length > 5);
  // All are of the orchestrator that runs now.
  const epoch = containers[0]?.labels['gantry.epoch'];
  t.regex(String(epoch), /^[0-9a-f]{12}-\w+$/);
  for (const { server, replica, generation, labels } of containers) {
    t.like(labels, {
      'gantry.owner': 'gantry',
      'gantry.epoch': epoch,
      'gantry.server': server,
      'gantry.replica': replica,
      'gantry.generation': String(generation),
    });
  }
  const { id, labels } = await standingContainer('plain');
  const format = '{{json .Config.Labels}}';
  t.like(JSON.parse(await dockerInside('inspect', '--format', format, id)), { ...labels });
});

test('a replica with internet reaches neither the stack, the engine, metadata addresses nor other replicas', async (t) => {
  const name = await readyServer(t, 'inspector.py', { network: 'internet' });
  const neighbour = JSON.parse(await callTool('inspector-online', 'interfaces')) as { addresses: string[] };
  await callTool('inspector-online', 'listen', { port: 7000 });
  const here = JSON.parse(await callTool(name, 'interfaces')) as { routes: string[]; addresses: string[] };
  t.true(here.routes.length > 0);
  const isAddress = (text: string): boolean => !/^(127\.|0\.)|\.(0|255)$/.test(text);
  const own = here.addresses.find(isAddress) ?? '';
  const gateway = own.replace(/\.\d+$/, '.1');
  const stack = await stackAddresses();
  t.true(stack.length >= 3);
  const targets = [
    ...neighbour.addresses.filter(isAddress).map((address) => `${address}:7000`),
    `${gateway}:2375`,
    `${gateway}:2376`,
    ...stack.flatMap((address) => [`${address}:2376`, `${address}:6379`, `${address}:7400`]),
    '169.254.169.254:80',
  ];
  const results = JSON.parse(await callTool(name, 'connect', { targets })) as Record<string, string>;
  for (const [target, result] of Object.entries(results)) {
    t.regex(result, /timeout|unreachable|prohibited/i, target);
  }
  // The neighbour does listen: what is refused above is refused by the network, not by an empty port.
  const online = JSON.parse(await callTool('inspector-online', 'connect', { targets: ['127.0.0.1:7000'] }));
  t.is(online['127.0.0.1:7000'], 'connected');
});

test('a build step reaches neither the engine nor metadata addresses, and is limited in memory', async (t) => {
  await untilReady('install-probe', 200_000);
  const report = JSON.parse(await callTool('install-probe', 'install_report')) as {
    reached: Record<string, string>;
    memory: string;
  };
  t.true(Object.keys(report.reached).length >= 8);
  for (const [target, result] of Object.entries(report.reached))
    t.notRegex(result, /connected|refused/, target);
  t.true(Number(report.memory) > 0 && Number(report.memory) <= 8 * 1024 * MIB, report.memory);
});

/** The addresses of the containers of the stack, on every network they are on. */
async function stackAddresses(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const service of ['dind', 'redis', 'orchestrator']) {
    const id = (await compose('ps', '-q', service)).trim();
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
    found.push(...(await dockerOnHost('inspect', '--format', format, id)).trim().split(/\s+/));
  }
  return found.filter((address) => address !== '');
}

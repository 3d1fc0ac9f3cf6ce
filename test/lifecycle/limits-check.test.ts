import test from 'ava';
import type { ContainerFacts } from '../../orchestrator/engine/index.ts';
import { unappliedLimit } from '../../orchestrator/lifecycle/limits-check.ts';
import { containerSpec } from '../fakes/container-spec.ts';

const asked = containerSpec({ limits: { memoryBytes: 1000, cpus: 0.5, pids: 64, nofile: 1024 } });

const applied: ContainerFacts = {
  id: 'x',
  name: 'x',
  image: 'x',
  imageId: 'sha256:0',
  labels: {},
  state: 'created',
  startedAt: null,
  exit: null,
  limits: { memoryBytes: 1000, memorySwapBytes: 1000, cpus: 0.5, pids: 64, nofile: 1024 },
  isolation: {
    network: 'none',
    readOnlyRoot: true,
    user: '10001:10001',
    capAdd: [],
    capDrop: ['ALL'],
    noNewPrivileges: true,
    logDriver: 'none',
    ipcMode: 'private',
    cgroupnsMode: 'private',
    init: true,
    runtime: 'runc',
    privileged: false,
    binds: [],
    seccomp: null,
  },
};

test('what was asked for and applied is nothing to complain about', (t) => {
  t.is(unappliedLimit(asked, applied), null);
  const online = { ...applied, isolation: { ...applied.isolation, network: 'gantry-internet' } };
  t.is(unappliedLimit({ ...asked, network: 'internet' }, online), null);
});

const limits: readonly [Partial<ContainerFacts['limits']>, RegExp][] = [
  [{ memoryBytes: 0 }, /^memory/],
  [{ memorySwapBytes: -1 }, /^swap/],
  [{ cpus: 0 }, /^cpus/],
  [{ pids: 0 }, /^pids/],
  [{ nofile: 1_048_576 }, /^nofile/],
];
const isolation: readonly [Partial<ContainerFacts['isolation']>, RegExp][] = [
  [{ privileged: true }, /privileged/],
  [{ readOnlyRoot: false }, /writable/],
  [{ capAdd: ['SYS_ADMIN'] }, /SYS_ADMIN/],
  [{ capDrop: ['NET_RAW'] }, /capabilities/],
  [{ noNewPrivileges: false }, /no-new-privileges/],
  [{ user: '' }, /user is not set/],
  [{ user: '0:10001' }, /user is 0/],
  [{ user: 'root' }, /user is root/],
  [{ logDriver: 'json-file' }, /log driver/],
  [{ ipcMode: 'host' }, /ipc/],
  [{ cgroupnsMode: 'host' }, /cgroup namespace/],
  [{ init: false }, /init/],
  [{ binds: ['/etc:/etc:ro'] }, /host path/],
  [{ runtime: 'runsc' }, /^runtime/],
  [{ seccomp: 'unconfined' }, /seccomp/],
  [{ network: 'bridge' }, /^network/],
];

for (const [wrong, name] of limits) {
  test(`a limit that was not applied is named: ${JSON.stringify(wrong)}`, (t) => {
    t.regex(unappliedLimit(asked, { ...applied, limits: { ...applied.limits, ...wrong } }) ?? '', name);
  });
}

for (const [wrong, name] of isolation) {
  test(`isolation that was not applied is named: ${JSON.stringify(wrong)}`, (t) => {
    t.regex(unappliedLimit(asked, { ...applied, isolation: { ...applied.isolation, ...wrong } }) ?? '', name);
  });
}

test("a network shared with the host or another container is not one's own", (t) => {
  for (const network of ['host', 'container:abc']) {
    const shared = { ...applied, isolation: { ...applied.isolation, network } };
    t.regex(unappliedLimit({ ...asked, network: 'internet' }, shared) ?? '', /^network/);
  }
});

const bridge = { directory: '/channels/gantry/abc', secret: Buffer.alloc(32) };
const mounted = { ...applied.isolation, init: false, binds: ['/channels/gantry/abc:/run/gantry:ro'] };

test('a bridge is given its one directory, read-only, and is the first process', (t) => {
  t.is(unappliedLimit({ ...asked, bridge }, { ...applied, isolation: mounted }), null);
});

for (const [wrong, name] of [
  [{ init: true }, /another init/],
  [{ binds: [] }, /^mounts: .* applied nothing/],
  [{ binds: ['/channels/gantry/abc:/run/gantry:rw'] }, /^mounts/],
  [{ binds: ['/channels/gantry:/run/gantry:ro'] }, /^mounts/],
  [{ binds: [...mounted.binds, '/etc:/etc:ro'] }, /^mounts/],
] as const) {
  test(`a bridge that got something else is named: ${JSON.stringify(wrong)}`, (t) => {
    const facts = { ...applied, isolation: { ...mounted, ...wrong } };
    t.regex(unappliedLimit({ ...asked, bridge }, facts) ?? '', name);
  });
}

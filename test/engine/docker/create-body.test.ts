import test from 'ava';
import { createBody } from '../../../orchestrator/engine/docker/create-body.ts';
import type { ContainerSpec } from '../../../orchestrator/engine/index.ts';
import { containerSpec } from '../../fakes/container-spec.ts';

const NODE_IMAGE = { entrypoint: ['docker-entrypoint.sh'], command: ['node'], volumes: [] };

function spec(over: Partial<ContainerSpec> = {}): ContainerSpec {
  const limits = { memoryBytes: 268_435_456, cpus: 1.5, pids: 128, nofile: 1024 };
  return containerSpec({ image: 'node:24', labels: { 'gantry.owner': 'test' }, limits, ...over });
}

test('every container gets all of the isolation, without anybody asking for it', (t) => {
  const { HostConfig: host, ...body } = createBody(spec(), NODE_IMAGE, '10001:10001');
  t.like(body, { User: '10001:10001', Tty: false, OpenStdin: true, StdinOnce: true });
  t.like(host, {
    Memory: 268_435_456,
    MemorySwap: 268_435_456,
    NanoCpus: 1_500_000_000,
    PidsLimit: 128,
    CapDrop: ['ALL'],
    Privileged: false,
    SecurityOpt: ['no-new-privileges:true'],
    ReadonlyRootfs: true,
    Tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,size=64m,mode=1777' },
    NetworkMode: 'none',
    IpcMode: 'private',
    Init: true,
    LogConfig: { Type: 'none', Config: {} },
    RestartPolicy: { Name: 'no' },
    Mounts: [],
  });
  t.deepEqual(host?.Ulimits, [
    { Name: 'nofile', Soft: 1024, Hard: 1024 },
    { Name: 'core', Soft: 0, Hard: 0 },
  ]);
  t.false('Binds' in (host ?? {}));
  t.false('CapAdd' in (host ?? {}));
});

test('only the network named internet leads anywhere', (t) => {
  const { HostConfig: host } = createBody(spec({ network: 'internet' }), NODE_IMAGE, '1000');
  t.is(host?.NetworkMode, 'gantry-internet');
});

test('home and temporary files point to the one writable place, unless the server says otherwise', (t) => {
  const { Env } = createBody(spec({ env: { HOME: '/data', KEY: 'a=b' } }), NODE_IMAGE, '1000');
  t.deepEqual(Env, ['TMPDIR=/tmp', 'HOME=/data', 'KEY=a=b']);
});

test('the named volume is the only mount, and keeps the owner it was given', (t) => {
  const volume = { name: 'data-1', path: '/data' };
  const { HostConfig: host } = createBody(spec({ volume }), NODE_IMAGE, '1000');
  t.deepEqual(host?.Mounts as unknown, [
    { Type: 'volume', Source: 'data-1', Target: '/data', VolumeOptions: { NoCopy: true } },
  ]);
});

test('volumes an image declares become bounded temporary files, never disk', (t) => {
  const image = { ...NODE_IMAGE, volumes: ['/data', '/cache'] };
  const { HostConfig: host } = createBody(spec({ volume: { name: 'v', path: '/data' } }), image, '1000');
  t.like(host?.Mounts?.[0], { Type: 'tmpfs', Target: '/cache' });
  t.like(host?.Mounts?.[1], { Type: 'volume', Target: '/data' });
  t.is(host?.Mounts?.length, 2);
});

test('arguments follow the entrypoint, else the command; a command of ours replaces both', (t) => {
  const bare = { entrypoint: [], command: ['node', 'server.js'], volumes: [] };
  const args = ['stdio'];
  t.deepEqual(createBody(spec({ args }), NODE_IMAGE, '1').Cmd, ['stdio']);
  t.deepEqual(createBody(spec({ args }), bare, '1').Cmd, ['node', 'server.js', 'stdio']);
  t.is(createBody(spec(), bare, '1').Cmd, undefined);
  const own = createBody(spec({ command: ['python3', '-u'], args }), NODE_IMAGE, '1');
  t.deepEqual([own.Entrypoint, own.Cmd], [['python3', '-u'], ['stdio']]);
});

const bridge = { directory: '/channels/gantry/abc', secret: Buffer.alloc(32, 0xab) };

test('a bridge is the first process and runs what the container would have run', (t) => {
  const bare = { entrypoint: [], command: ['node', 'server.js'], volumes: [] };
  const run = (over: Partial<ContainerSpec>, image = NODE_IMAGE): unknown => {
    const { Entrypoint, Cmd } = createBody(spec({ bridge, ...over }), image, '1');
    t.deepEqual(Cmd, []);
    return (Entrypoint as string[]).join(' ');
  };
  const before = '/opt/gantry/gantry-init --';
  t.is(run({}), `${before} docker-entrypoint.sh node`);
  t.is(run({ args: ['stdio'] }), `${before} docker-entrypoint.sh stdio`);
  t.is(run({ args: ['stdio'] }, bare), `${before} node server.js stdio`);
  t.is(run({ command: ['python3', '-u'], args: ['x'] }), `${before} python3 -u x`);
});

test('a bridge gets its directory read-only and its secret, and no stdio to attach to', (t) => {
  const env = { GANTRY_CHANNEL_SECRET: 'made up', KEY: 'value' };
  const { HostConfig: host, ...body } = createBody(spec({ bridge, env, runtime: 'runsc' }), NODE_IMAGE, '1');
  t.like(host, { Init: false, Runtime: 'runsc', ReadonlyRootfs: true });
  t.deepEqual(host?.Mounts as unknown, [
    {
      Type: 'bind',
      Source: '/channels/gantry/abc',
      Target: '/run/gantry',
      ReadOnly: true,
      BindOptions: { Propagation: 'rprivate' },
    },
  ]);
  t.true(body.Env?.includes(`GANTRY_CHANNEL_SECRET=${'ab'.repeat(32)}`));
  t.false(body.Env?.includes('GANTRY_CHANNEL_SECRET=made up'));
  t.false('OpenStdin' in body || 'AttachStdout' in body);
});

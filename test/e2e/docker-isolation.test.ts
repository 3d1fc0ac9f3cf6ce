import { randomBytes } from 'node:crypto';
import test from 'ava';
import { type ContainerSpec, EngineError } from '../../orchestrator/engine/index.ts';
import { containerSpec } from '../fakes/container-spec.ts';
import { realEngine, testImage } from './real-engine.ts';
import { tarOf } from './tar.ts';

const engine = realEngine();
const RUN = randomBytes(4).toString('hex');
const OWNER = `isolation-${RUN}`;
const VOLUME = `isolation-${RUN}`;

/** Runs a shell script in a container of ours and returns what it printed. */
async function inside(script: string, over: Partial<ContainerSpec> = {}) {
  const id = await engine.create(
    containerSpec({
      name: `isolation-${randomBytes(6).toString('hex')}`,
      image: testImage(),
      command: ['sh', '-c', script],
      labels: { 'gantry.owner': OWNER },
      limits: { memoryBytes: 64 * 1024 * 1024, cpus: 0.5, pids: 32, nofile: 256 },
      ...over,
    }),
  );
  try {
    const attachment = await engine.attach(id);
    let stdout = '';
    let stderr = '';
    attachment.onStdout((bytes) => {
      stdout += bytes;
    });
    attachment.onStderr((bytes) => {
      stderr += bytes;
    });
    await engine.start(id);
    attachment.end();
    await attachment.closed;
    return { stdout, stderr };
  } finally {
    await engine.remove(id);
  }
}

test.after.always(async () => {
  for (const { id } of await engine.list(OWNER)) await engine.remove(id);
  for (const { name } of await engine.volumes.list(OWNER)) await engine.volumes.remove(name);
});

test.serial('a process has no capability, cannot gain any, and is filtered', async (t) => {
  const { stdout } = await inside('grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status');
  const fields = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(':\t')),
  );
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) t.is(fields[set], '0000000000000000');
  t.is(fields.NoNewPrivs, '1');
  t.is(fields.Seccomp, '2');
});

test.serial('a process is nobody in particular, and not root', async (t) => {
  t.is((await inside('id -u; id -g')).stdout, '10001\n10001\n');
});

test.serial('a process has no network but its own loopback', async (t) => {
  t.is((await inside('ls /sys/class/net')).stdout, 'lo\n');
});

test.serial('nothing is writable but bounded temporary files that cannot be run', async (t) => {
  const script = `
    touch /x /root/x /usr/x /etc/x 2>/dev/null && echo writable
    cp /bin/true /tmp/true && chmod +x /tmp/true && /tmp/true 2>/dev/null && echo executable
    grep -E " (/|/tmp|/dev/shm) " /proc/mounts | cut -d" " -f2,4`;
  const { stdout } = await inside(script);
  t.false(stdout.includes('writable'));
  t.false(stdout.includes('executable'));
  t.regex(stdout, /^\/ ro,/m);
  t.regex(stdout, /^\/tmp rw,.*noexec.*size=65536k/m);
});

test.serial('limits hold inside: files, core dumps, processes', async (t) => {
  t.is((await inside('ulimit -Sn; ulimit -Hn; ulimit -c')).stdout, '256\n256\n0\n');
  const { stderr } = await inside('i=0; while [ $i -lt 100 ]; do sleep 5 & i=$((i+1)); done; true');
  t.regex(stderr, /fork|resource temporarily unavailable/i);
});

test.serial('environment, home and temporary folder are what they should be', async (t) => {
  const { stdout } = await inside('echo "$HOME $TMPDIR $KEY"', { env: { KEY: 'a=b c' } });
  t.is(stdout, '/tmp /tmp a=b c\n');
});

test.serial('a named volume belongs to the user and outlives the container', async (t) => {
  const { uid } = await engine.images.runsAs(testImage());
  const labels = { 'gantry.owner': OWNER };
  t.true(await engine.volumes.ensure(VOLUME, labels, uid));
  t.false(await engine.volumes.ensure(VOLUME, labels, uid));
  t.deepEqual(await engine.volumes.list(OWNER), [{ name: VOLUME, labels }]);
  const volume = { name: VOLUME, path: '/data' };
  t.is((await inside('echo kept > /data/file && cat /data/file', { volume })).stdout, 'kept\n');
  t.is((await inside('cat /data/file', { volume })).stdout, 'kept\n');
  await engine.volumes.remove(VOLUME);
  await engine.volumes.remove(VOLUME);
  t.deepEqual(await engine.volumes.list(OWNER), []);
});

test.serial('a volume the image declares is temporary and bounded, and nothing is left of it', async (t) => {
  const context = tarOf({ Dockerfile: `FROM ${testImage()}\nVOLUME /cache\n` });
  const image = `gantry-e2e-volume:${RUN}`;
  const limits = { memoryBytes: 64 * 1024 * 1024, cpus: 1 };
  const build = { tag: image, context, labels: {}, buildArgs: {}, limits, timeoutMs: 60_000 };
  await engine.images.build({ ...build, network: 'none' });
  try {
    const { stdout } = await inside('touch /cache/x && grep " /cache " /proc/mounts', { image });
    t.regex(stdout, /^tmpfs \/cache tmpfs rw,.*noexec.*size=65536k/);
  } finally {
    await engine.images.remove(image);
  }
});

test.serial('a program that is not there ends with its reason on stderr', async (t) => {
  const { stderr } = await inside('', { command: ['/no/such/program'] });
  t.regex(stderr, /no\/such\/program/);
});

test.serial('a spec the engine cannot run is refused as bad_spec', async (t) => {
  const error = await t.throwsAsync(inside('true', { volume: { name: 'not a name!', path: '/data' } }), {
    instanceOf: EngineError,
  });
  t.is(error?.code, 'bad_spec');
});

test.serial('the networks can be made again and again, and lead out only where asked for', async (t) => {
  await engine.prepare();
  await engine.prepare();
  const { stdout } = await inside('ls /sys/class/net', { network: 'internet' });
  t.deepEqual(stdout.trim().split('\n').sort(), ['eth0', 'lo']);
});

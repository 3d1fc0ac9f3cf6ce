import { readdir, readFile, readlink } from 'node:fs/promises';
import test from 'ava';
import { compose, dockerInside, dockerOnHost } from '../../e2e/harness.ts';
import { until } from '../../e2e/until.ts';
import type { HostOrchestrator } from '../host-orchestrator.ts';
import { SERVER, startWorld, underFault } from '../world.ts';

let mesh: HostOrchestrator;

test.before(async (t) => {
  t.timeout(280_000);
  mesh = await startWorld();
});
test.after.always(async (t) => {
  t.timeout(120_000);
  await mesh?.end();
});

test.serial('200 calls in flight: the image of the server is gone and a replica has to start', async (t) => {
  t.timeout(180_000);
  const [victim = '', ...others] = await mesh.containers(SERVER);
  const image = (await dockerInside('inspect', '--format', '{{.Config.Image}}', victim)).trim();
  const id = (await dockerInside('inspect', '--format', '{{.Image}}', victim)).trim();
  const { failed } = await underFault(t, mesh, async () => {
    await dockerInside('tag', image, 'gantry-test-kept:local');
    await dockerInside('rmi', '--no-prune', image);
    await dockerInside('kill', victim);
    await until('it is told', async () => {
      const { json } = await mesh.api<{ replicas: { ready: number } }>('GET', `/api/v1/servers/${SERVER}`);
      return json.replicas.ready < 4;
    });
    t.deepEqual(
      (await mesh.containers(SERVER)).filter((one) => others.includes(one)),
      others,
    );
    await dockerInside('tag', id, image);
    await dockerInside('rmi', '--no-prune', 'gantry-test-kept:local');
    await mesh.api('POST', `/api/v1/servers/${SERVER}/start`);
  });
  t.true(failed.length > 0);
});

test.serial('200 calls in flight: the engine is slow to make a container', async (t) => {
  t.timeout(180_000);
  const before = await mesh.containers(SERVER);
  const { failed, answers } = await underFault(t, mesh, async () => {
    mesh.engine.suffer({ latencyMs: 300 });
    await dockerInside('kill', before[0] ?? '');
    await until('it is replaced', async () => !(await mesh.containers(SERVER)).includes(before[0] ?? ''));
    await mesh.whole([SERVER]);
    mesh.engine.suffer({});
  });
  t.true(failed.length > 0 && failed.length < answers);
});

test.serial('200 calls in flight: dockerd is stopped by SIGSTOP, and goes on', async (t) => {
  t.timeout(240_000);
  const dockerd = await pidOfEngine();
  await underFault(t, mesh, async () => {
    process.kill(dockerd, 'SIGSTOP');
    try {
      await until('it is told', async () => (await mesh.api('GET', '/readyz')).status === 503);
    } finally {
      process.kill(dockerd, 'SIGCONT');
    }
    await until('it answers', async () => (await mesh.api('GET', '/readyz')).status === 200);
  });
});

test.serial('200 calls in flight: dockerd is killed, and its container restarts it', async (t) => {
  t.timeout(280_000);
  const before = await mesh.containers(SERVER);
  await underFault(t, mesh, async () => {
    process.kill(await pidOfEngine(), 'SIGKILL');
    await until(
      'all containers are new',
      async () => {
        const now = await mesh.containers(SERVER);
        return now.length === before.length && !before.some((id) => now.includes(id));
      },
      { timeoutMs: 120_000 },
    );
  });
});

/** Of the dockerd inside the engine's container, as this host counts. */
async function pidOfEngine(): Promise<number> {
  const container = (await compose('ps', '-q', 'dind')).trim();
  const first = await dockerOnHost('inspect', '--format', '{{.State.Pid}}', container);
  const namespace = await readlink(`/proc/${first}/ns/pid`);
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    const itsNamespace = await readlink(`/proc/${pid}/ns/pid`).catch(() => '');
    if (name.trim() === 'dockerd' && itsNamespace === namespace) return Number(pid);
  }
  throw new Error('there is no dockerd in the container of the engine');
}

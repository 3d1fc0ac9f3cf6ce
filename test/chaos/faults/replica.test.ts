import test from 'ava';
import { dockerInside } from '../../e2e/harness.ts';
import { until } from '../../e2e/until.ts';
import type { HostOrchestrator } from '../host-orchestrator.ts';
import { IN_FLIGHT } from '../load.ts';
import { breakOne, SERVER, sharedServer, startWorld, underFault } from '../world.ts';

let mesh: HostOrchestrator;

test.before(async (t) => {
  t.timeout(280_000);
  mesh = await startWorld();
});
test.after.always(async (t) => {
  t.timeout(120_000);
  await mesh?.end();
});

/** A container ends, so another has to take its place. */
const REPLACING: Readonly<Record<string, (container: string) => Promise<unknown>>> = {
  'SIGKILL of a server': (container) => dockerInside('kill', container),
  'a server out of memory': () => breakOne(mesh, 'memory'),
  'exit 0 of a server': () => breakOne(mesh, 'exit 0'),
  'a line of 50 MiB': () => breakOne(mesh, 'long line'),
  'a server paused behind our back': (container) => dockerInside('pause', container),
  'a server stuck in a loop': () => breakOne(mesh, 'busy').catch(() => {}),
};

for (const [fault, breakIt] of Object.entries(REPLACING)) {
  test.serial(`200 calls in flight: ${fault}`, async (t) => {
    t.timeout(180_000);
    const before = await mesh.containers(SERVER);
    const { answers, failed } = await underFault(t, mesh, async () => {
      await breakIt(before[0] ?? '');
      await until('a container is replaced', async () => {
        const now = await mesh.containers(SERVER);
        return before.some((id) => !now.includes(id));
      });
    });
    t.true(failed.length > 0, 'the fault hit nothing');
    t.true(failed.length < answers, 'one of four replicas broke');
  });
}

/** What a server prints ends nothing. */
const ENDURED: readonly string[] = ['garbage', 'no newline', 'stderr', 'answers to nobody', 'bytewise'];

for (const fault of ENDURED) {
  test.serial(`200 calls in flight: a server prints ${fault}`, async (t) => {
    t.timeout(120_000);
    const before = await mesh.containers(SERVER);
    const { failed } = await underFault(t, mesh, () => breakOne(mesh, fault));
    t.deepEqual(failed, []);
    t.deepEqual(await mesh.containers(SERVER), before);
  });
}

test.serial('200 calls in flight: the volume of a server is full, until there is room again', async (t) => {
  t.timeout(180_000);
  const server = 'full';
  const volume = `${mesh.owner}-data-${server}-shared`;
  const labels = [`gantry.owner=${mesh.owner}`, `gantry.server=${server}`].flatMap((label) => [
    '--label',
    label,
  ]);
  // Its root is that of the containers, who is nobody outside: else it could not be given to its user.
  const root = (await dockerInside('info', '--format', '{{.DockerRootDir}}')).trim().split('/').at(-1) ?? '';
  const [uid = '', gid = ''] = root.split('.');
  const bounded = ['type=tmpfs', 'device=tmpfs', `o=size=1m,uid=${uid},gid=${gid}`];
  const options = bounded.flatMap((option) => ['--opt', option]);
  await dockerInside('volume', 'create', ...labels, ...options, volume);
  const entry = await sharedServer();
  await mesh.api('POST', '/api/v1/servers', { name: server, ...entry });
  await mesh.whole([server]);
  const before = await mesh.containers(server);
  /** As root, in a container beside the replicas, which keep the volume mounted. */
  const onVolume = (script: string): Promise<string> =>
    dockerInside(
      'run',
      '--rm',
      '--user',
      '0',
      '-v',
      `${volume}:/data`,
      String(entry.image),
      'sh',
      '-c',
      script,
    );
  const { failed, answers } = await underFault(
    t,
    mesh,
    async (load) => {
      await onVolume('cat /dev/zero > /data/rest || true');
      await until('calls fail for it', async () => load.history.verdict().failed.length > 0);
      await onVolume('rm /data/rest');
      const answered = load.history.verdict().answers;
      await until('it answers again', async () => load.history.verdict().answers > answered + IN_FLIGHT);
    },
    server,
  );
  t.true(answers > 0);
  t.deepEqual(
    failed.filter((why) => !why.includes('No space left on device')),
    [],
    'the server says it itself',
  );
  t.deepEqual(await mesh.containers(server), before, 'nobody is replaced for it');
});

import test from 'ava';
import { dockerInside } from '../../e2e/harness.ts';
import { until } from '../../e2e/until.ts';
import type { HostOrchestrator } from '../host-orchestrator.ts';
import { breakOne, SERVER, startWorld, underFault } from '../world.ts';

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

import test from 'ava';
import { attachChannel } from '../../orchestrator/channel/index.ts';
import { systemClock as clock } from '../../orchestrator/kernel/index.ts';
import { channelContract } from '../contracts/channel.ts';
import { fakePrograms } from '../contracts/channel-programs.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';

channelContract(test, 'attach', async (name, maxLineBytes) => {
  const engine = new FakeEngine({ programs: fakePrograms });
  const id = await engine.create({
    name: 'one',
    image: name,
    command: null,
    args: [],
    env: {},
    labels: {},
    limits: { memoryBytes: 1024, cpus: 1, pids: 8, nofile: 64 },
    network: 'none',
    runtime: 'runc',
    volume: null,
    bridge: null,
  });
  const channel = attachChannel({ attachment: await engine.attach(id), clock, maxLineBytes });
  await engine.start(id);
  return { channel, kill: () => engine.kill(id), clear: () => engine.remove(id) };
});

import test from 'ava';
import { attachChannel } from '../../orchestrator/channel/index.ts';
import { systemClock as clock } from '../../orchestrator/kernel/index.ts';
import { channelContract } from '../contracts/channel.ts';
import { fakePrograms } from '../contracts/channel-programs.ts';
import { containerSpec } from '../fakes/container-spec.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';

channelContract(test, 'attach', async (name, maxLineBytes) => {
  const engine = new FakeEngine({ programs: fakePrograms });
  const id = await engine.create(containerSpec({ image: name }));
  const channel = attachChannel({ attachment: await engine.attach(id), clock, maxLineBytes });
  await engine.start(id);
  return { channel, kill: () => engine.kill(id), clear: () => engine.remove(id) };
});

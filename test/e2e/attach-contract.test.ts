import { randomBytes } from 'node:crypto';
import test from 'ava';
import { attachChannel } from '../../orchestrator/channel/index.ts';
import { systemClock as clock } from '../../orchestrator/kernel/index.ts';
import { channelBackPressure, channelContract, type StartProgram } from '../contracts/channel.ts';
import { shellPrograms } from '../contracts/channel-programs.ts';
import { realEngine, testImage } from './real-engine.ts';

const engine = realEngine();
const OWNER = `attach-${randomBytes(4).toString('hex')}`;

const start: StartProgram = async (name, maxLineBytes) => {
  const id = await engine.create({
    name: `attach-${randomBytes(6).toString('hex')}`,
    image: testImage(),
    command: ['sh', '-c', shellPrograms[name]],
    args: [],
    env: {},
    labels: { 'gantry.owner': OWNER },
    limits: { memoryBytes: 64 * 1024 * 1024, cpus: 1, pids: 32, nofile: 256 },
    network: 'none',
    runtime: 'runc',
    volume: null,
    bridge: null,
  });
  const channel = attachChannel({ attachment: await engine.attach(id), clock, maxLineBytes });
  await engine.start(id);
  return { channel, kill: () => engine.kill(id), clear: () => engine.remove(id) };
};

channelContract(test, 'attach', start);
channelBackPressure(test, start);

test.after.always(async () => {
  for (const { id } of await engine.list(OWNER)) await engine.remove(id);
});

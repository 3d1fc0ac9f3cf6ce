import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import test from 'ava';
import { replicaPlace } from '../channel/socket-bench.ts';
import { channelBackPressure, channelContract, type StartProgram } from '../contracts/channel.ts';
import { shellPrograms } from '../contracts/channel-programs.ts';
import { bridgeProgram } from './bridge-program.ts';
import { compose, dockerOnHost } from './harness.ts';

const LABEL = `gantry.test=socket-${randomBytes(4).toString('hex')}`;

/**
 * The program of the image as the first process of a container with no other way out, held as replicas are. The container
 * is on the engine of this host: sockets of this process are in no directory that the engine of the stack sees.
 */
const start: StartProgram = async (name, maxLineBytes) => {
  const { directory, secret, open, clear } = await replicaPlace();
  await chmod(directory, 0o711); // as ChannelDirectories makes them
  const channel = await open({ maxLineBytes });
  const orchestrator = (await compose('ps', '--quiet', 'orchestrator')).trim();
  const image = await dockerOnHost('inspect', '--format', '{{.Image}}', orchestrator);
  const mounts = [
    `type=bind,source=${directory},target=/run/gantry,readonly`,
    `type=bind,source=${await bridgeProgram()},target=/gantry-init,readonly`,
  ];
  const id = await dockerOnHost(
    ...['run', '--detach', '--label', LABEL],
    ...['--network', 'none', '--read-only', '--cap-drop', 'ALL', '--user', '65534:65534'],
    ...['--security-opt', 'no-new-privileges', '--memory', '64m'],
    ...['--env', `GANTRY_CHANNEL_SECRET=${secret.toString('hex')}`],
    ...mounts.flatMap((mount) => ['--mount', mount]),
    ...['--entrypoint', '/gantry-init', image, '--', 'sh', '-c', shellPrograms[name]],
  );
  await channel.connected;
  return {
    channel,
    kill: async () => void (await dockerOnHost('kill', '--signal', 'KILL', id)),
    clear: async () => {
      channel.destroy('cleared');
      await dockerOnHost('rm', '--force', '--volumes', id);
      await clear();
    },
  };
};

channelContract(test, 'socket', start);
channelBackPressure(test, start);

test.after.always(async () => {
  const left = await dockerOnHost('ps', '--all', '--quiet', '--filter', `label=${LABEL}`);
  for (const id of left.split('\n').filter((line) => line !== '')) await dockerOnHost('rm', '--force', id);
});

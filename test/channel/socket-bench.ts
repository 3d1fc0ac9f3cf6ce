import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SocketChannel, type SocketChannelOptions } from '../../orchestrator/channel/index.ts';
import { systemClock as clock } from '../../orchestrator/kernel/index.ts';
import { FakeBridge } from '../fakes/fake-bridge.ts';
import type { FakeProgram } from '../fakes/fake-process.ts';

/** A directory and the secret of the one replica that connects there. */
export async function replicaPlace() {
  const directory = await mkdtemp(join(tmpdir(), 'gantry-channel-'));
  const secret = randomBytes(32);
  return {
    directory,
    secret,
    open: (over: Partial<SocketChannelOptions> = {}) =>
      SocketChannel.open({
        directory,
        secret,
        clock,
        maxLineBytes: 1024 * 1024,
        leaseMs: 5000,
        ...over,
      }),
    clear: () => rm(directory, { recursive: true, force: true }),
  };
}

/** The same with a program behind the bridge's twin. */
export async function bridged(program: FakeProgram, over: Partial<SocketChannelOptions> = {}) {
  const place = await replicaPlace();
  const channel = await place.open(over);
  const bridge = new FakeBridge({ directory: place.directory, secret: place.secret, program });
  return {
    ...place,
    channel,
    bridge,
    clear: async () => {
      bridge.die();
      channel.destroy('cleared');
      await place.clear();
    },
  };
}

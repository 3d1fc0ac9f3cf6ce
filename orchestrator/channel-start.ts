import { keptToken } from './admin-token.ts';
import { ChannelDirectories } from './channel/index.ts';
import type { Environment } from './environment.ts';
import type { SocketChannels } from './lifecycle/index.ts';

/** How long replicas wait for the next orchestrator: a start takes seconds, and what they hold is not free. */
const LEASE_MS = 30_000;

/** What socket channels need; null where no volume is shared with the engine. */
export async function startChannels({
  channels,
  owner,
  stateDir,
}: Environment): Promise<SocketChannels | null> {
  if (channels === null) return null;
  const { token } = await keptToken(stateDir, 'channel-key');
  const key = Buffer.from(token, 'base64url');
  const directories = new ChannelDirectories({
    root: channels.dir,
    engineRoot: channels.engineDir,
    owner,
    key,
  });
  return { directories, leaseMs: LEASE_MS };
}

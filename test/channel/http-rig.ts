import type { ExecutionContext } from 'ava';
import { HttpChannel, Link } from '../../orchestrator/channel/index.ts';
import { GantryError, systemClock } from '../../orchestrator/kernel/index.ts';
import { RemoteServer, type RemoteServerOptions } from '../fakes/remote-server.ts';

export const LIMITS = { callTimeoutMs: 10_000, maxCallMs: 10_000 };
export const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
};
type Wired = { remote: RemoteServer; channel: HttpChannel; link: Link };

/** A channel and a link to a remote server that the test holds in its hands. */
export async function wired(
  t: ExecutionContext,
  options: RemoteServerOptions = {},
  { renews = true, maxLineBytes = 1024 * 1024, headers = {} } = {},
): Promise<Wired> {
  const remote = await RemoteServer.start(options);
  const url = new URL(remote.url());
  const pinned = { address: '127.0.0.1', family: 4 };
  const channel = new HttpChannel({ url, pinned, headers, clock: systemClock, maxLineBytes, renews });
  const deadCallError = async () => new GantryError('replica_failed', 'over', { detail: { over: true } });
  const link = new Link({
    replica: 'remote-1',
    channel,
    clock: systemClock,
    onDropped: () => {},
    deadCallError,
  });
  t.teardown(async () => {
    channel.destroy('test');
    await remote.close();
  });
  return { remote, channel, link };
}

/** The same, its session begun. */
export async function greeted(
  t: ExecutionContext,
  ...rest: [RemoteServerOptions?, { renews?: boolean; headers?: object }?]
) {
  const all = await wired(t, rest[0], rest[1]);
  const outcome = await all.link.call('initialize', HELLO, LIMITS);
  t.true(outcome.ok);
  await all.link.notify('notifications/initialized');
  return all;
}

export function tool(link: Link, name: string, args: object = {}, more: object = {}) {
  return link.call('tools/call', { name, arguments: args, ...more }, LIMITS);
}

export function textIn(outcome: unknown): unknown {
  const { result } = outcome as { result: { content: { text: string }[] } };
  return result.content[0]?.text;
}

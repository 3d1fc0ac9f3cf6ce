import type { ExecutionContext } from 'ava';
import { containersOf, dockerInside } from './harness.ts';
import { until } from './until.ts';

/**
 * The ways to the stdin and stdout of a container whose image is built on the bridge image, and what the definition of a
 * server says to get each.
 */
export const CHANNELS = [
  { channel: 'socket', entry: {} },
  { channel: 'attach', entry: { channel: 'attach' } },
] as const;

export type ChannelKind = (typeof CHANNELS)[number]['channel'];

/**
 * Asserts that every container of a server is reached in this way and in no other: as the API says of the channel that is
 * in use, and as the engine says of what it runs, because only the bridge connects out.
 * @returns how many containers it has, at least one: it is waited for, where a server has none at times
 */
export async function reachedOver(t: ExecutionContext, name: string, channel: ChannelKind): Promise<number> {
  const held = await until(`a container of ${name}`, async () => {
    const containers = await containersOf(name);
    return containers.length > 0 && containers;
  });
  for (const one of held) t.is(one.channel, channel, `${one.replica} of ${name}`);
  const label = `label=gantry.server=${name}`;
  const programs = await dockerInside(
    'ps',
    '-a',
    '--no-trunc',
    '--filter',
    label,
    '--format',
    '{{.Command}}',
  );
  for (const program of programs.split('\n').filter((line) => line !== '')) {
    t.is(program.includes('/gantry-init '), channel === 'socket', `${name} runs ${program}`);
  }
  return held.length;
}

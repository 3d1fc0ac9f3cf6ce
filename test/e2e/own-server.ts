import { randomBytes } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import {
  api,
  callTool,
  dockerInside,
  expectStatus,
  type Json,
  type Server,
  server,
  standingContainer,
} from './harness.ts';
import { until } from './until.ts';

/** Letters and digits: what two runs and two tests never share. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}

/**
 * Gives the image that a server of the file runs a name, and returns it. `build:` is refused over the API, so servers
 * that tests make for themselves run such an image.
 */
export async function imageOf(name: string): Promise<string> {
  const { id } = await until(`a standing container of ${name}`, () => standingContainer(name), {
    timeoutMs: 180_000,
  });
  const imageId = (await dockerInside('inspect', '--format', '{{.Image}}', id)).trim();
  const tag = `gantry-test-${name}:local`;
  await dockerInside('tag', imageId, tag);
  return tag;
}

/** The definition of a server that runs one of the files in test/fixtures/servers. */
export async function fixtureEntry(file: string): Promise<Json> {
  return { image: await imageOf('plain'), command: ['python3', `/opt/fixtures/${file}`] };
}

/** Makes a server over the API and removes it after the test. Does not wait for it. */
export async function makeServer(t: ExecutionContext, prefix: string, entry: Json): Promise<string> {
  const name = await addServer(prefix, entry);
  t.teardown(() => removeServer(name));
  return name;
}

/** Makes a server over the API. Whoever calls this removes it; a test uses `makeServer`. */
export async function addServer(prefix: string, entry: Json): Promise<string> {
  const name = uniqueName(prefix);
  await expectStatus(202, api('POST', '/api/v1/servers', { body: { name, ...entry } }));
  return name;
}

/** Removes a server, if it is still there. Its containers are gone afterwards. */
export async function removeServer(name: string): Promise<void> {
  const { status } = await api('DELETE', `/api/v1/servers/${name}`);
  if (status !== 204 && status !== 404) throw new Error(`could not remove ${name}: ${status}`);
}

/** Makes a server from a fixture file and waits until it is ready. */
export async function readyServer(t: ExecutionContext, file: string, entry: Json = {}): Promise<string> {
  const prefix = file.replace(/\.py$/, '').replaceAll('_', '-');
  const name = await makeServer(t, prefix, { ...(await fixtureEntry(file)), ...entry });
  await untilReady(name);
  return name;
}

export function untilReady(name: string, timeoutMs = 90_000): Promise<Server> {
  return until(`${name} is ready`, () => inState(name, 'ready'), { timeoutMs });
}

export function untilFailed(name: string, timeoutMs = 90_000): Promise<Server> {
  return until(`${name} has failed`, () => inState(name, 'failed'), { timeoutMs });
}

/** Whatever happened before: every server is ready, rests or has failed. */
export function untilSettled(timeoutMs = 290_000): Promise<true> {
  const settled = ['ready', 'paused', 'stopped', 'failed', 'disabled'];
  const all = async (): Promise<true> => {
    const { servers } = await expectStatus<{ servers: Server[] }>(200, api('GET', '/api/v1/servers'));
    const late = servers.filter(({ state }) => !settled.includes(state)).map(({ name }) => name);
    if (late.length > 0) throw new Error(`not settled: ${late.join(', ')}`);
    return true;
  };
  return until('all servers are settled', all, { timeoutMs });
}

async function inState(name: string, state: string): Promise<Server | undefined> {
  const seen = await server(name);
  if (seen.state === state) return seen;
  throw new Error(`${name} is ${seen.state} ${JSON.stringify(seen.reason)}`);
}

/** That other servers do not notice: a call of one that behaves is answered right now. */
export async function othersAnswer(): Promise<boolean> {
  return (await callTool('plain', 'echo', { text: 'unharmed' })) === 'unharmed';
}

import test, { type ExecutionContext } from 'ava';
import { callTool, compose, dockerInside, standingContainer } from './harness.ts';
import { openSession } from './mcp-session.ts';
import { readyServer, untilReady } from './own-server.ts';

type Attempts = Readonly<Record<string, string | number | readonly (string | number)[]>>;

const REFUSED = /^(?:PermissionError|OSError|FileNotFoundError|ConnectionRefusedError) \d+$/;

test.before(async (t) => {
  t.timeout(300_000);
  await untilReady('plain', 290_000);
});

/** What the bridge of a container was given to prove itself with, as only the engine knows. */
async function secretOf(containerId: string): Promise<string> {
  const environment = await dockerInside('inspect', '--format', '{{json .Config.Env}}', containerId);
  const secret = /GANTRY_CHANNEL_SECRET=([0-9a-f]{64})/.exec(environment)?.[1];
  if (secret === undefined) throw new Error('the container has no secret');
  return secret;
}

/** A process inside has tried everything, and has neither the secret nor anything it could prove itself with. */
async function failsToImpersonate(t: ExecutionContext, name: string): Promise<Attempts> {
  const { id, channel } = await standingContainer(name);
  t.is(channel, 'socket');
  const secret = await secretOf(id);
  const text = await callTool(name, 'impersonate');
  t.false(text.includes(secret), 'no file, variable or piece of memory gave the secret away');
  const tried = JSON.parse(text) as Attempts;
  t.is(tried.program, 'gantry-init');
  const nothing = [
    'directory',
    'directory through the bridge',
    'socket of its own',
    'file of its own',
    'other replicas',
  ];
  const noWay = ['memory', 'memory call', 'trace', 'no secret', 'a guess', ...nothing];
  for (const what of noWay) t.regex(String(tried[what]), REFUSED, what);
  for (const result of tried['files taken'] as readonly string[])
    t.regex(String(result), REFUSED, 'files taken');
  t.is(
    JSON.parse(await callTool(name, 'impersonate')).program,
    'gantry-init',
    'the bridge goes on as before',
  );
  return tried;
}

test('a server cannot read the secret of its bridge, nor take its place', async (t) => {
  const name = await readyServer(t, 'impostor.py');
  const tried = await failsToImpersonate(t, name);
  t.regex(String(tried.environment), REFUSED);
  for (const result of tried['files opened'] as readonly string[]) t.regex(String(result), REFUSED);
});

test('neither can a server under gVisor', async (t) => {
  const name = await readyServer(t, 'impostor.py', { runtime: 'runsc' });
  await failsToImpersonate(t, name);
});

test('a server under gVisor answers over the socket, from a kernel of its own', async (t) => {
  const name = await readyServer(t, 'inspector.py', { runtime: 'runsc' });
  const container = await standingContainer(name);
  t.is(container.channel, 'socket');
  t.like(container.isolation, { runtime: 'runsc', network: 'none', readOnlyRoot: true });
  t.regex(await callTool(name, 'run', { argv: ['dmesg'] }), /Starting gVisor/);
  const session = await openSession(t, name);
  const { result } = await session.call(1, 'read', { path: '/proc/version' });
  t.regex(JSON.stringify(result), /Linux version 4\.4\.0/);
});

test('a server may be attached to although its image has the bridge', async (t) => {
  const name = await readyServer(t, 'plain.py', { channel: 'attach' });
  const container = await standingContainer(name);
  t.is(container.channel, 'attach');
  t.is(container.labels['gantry.channel'], 'attach');
  t.is(await callTool(name, 'echo', { text: 'attached' }), 'attached');
  const init = await dockerInside(
    'inspect',
    '--format',
    '{{.HostConfig.Init}} {{json .Mounts}}',
    container.id,
  );
  t.is(init.trim(), 'true []');
});

test('the bridge of a real server is small, and the first process', async (t) => {
  const { id } = await standingContainer('plain');
  const pid = (await dockerInside('inspect', '--format', '{{.State.Pid}}', id)).trim();
  const status = await compose('exec', '-T', 'dind', 'cat', `/proc/${pid}/status`);
  const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  t.log(`${resident} KiB resident`);
  t.regex(status, /^Name:\s+gantry-init$/m);
  t.true(resident > 0 && resident < 2048);
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { baseUrl, compose, dockerInside, dockerOnHost, type Json, server } from './harness.ts';
import { initializeRequest, McpSession, postMcp } from './mcp-session.ts';
import { untilReady } from './own-server.ts';
import { rawRequest } from './raw-http.ts';

type Inspected = {
  readonly Id: string;
  readonly Config: { readonly User: string; readonly Env: readonly string[] };
  readonly HostConfig: {
    readonly Privileged: boolean;
    readonly ReadonlyRootfs: boolean;
    readonly CapAdd: readonly string[] | null;
    readonly CapDrop: readonly string[] | null;
    readonly Memory: number;
    readonly MemorySwap: number;
    readonly NanoCpus: number;
    readonly PidsLimit: number;
    readonly PortBindings: Record<string, readonly { readonly HostIp: string }[]> | null;
    readonly RestartPolicy: { readonly Name: string };
    readonly SecurityOpt: readonly string[];
  };
  readonly Mounts: readonly { readonly Source: string; readonly Destination: string; readonly RW: boolean }[];
};

async function inspect(service: string): Promise<Inspected> {
  const id = (await compose('ps', '-q', service)).trim();
  const [found] = JSON.parse(await dockerOnHost('inspect', id)) as Inspected[];
  if (!found) throw new Error(`${service} is not running`);
  return found;
}

for (const service of ['dind', 'redis', 'orchestrator']) {
  test(`the ${service} container has limits of its own, is restarted, and sees no engine of the host`, async (t) => {
    const { HostConfig: host, Mounts: mounts } = await inspect(service);
    t.false(host.Privileged);
    t.true(host.Memory > 0 && host.NanoCpus > 0 && host.PidsLimit > 0);
    t.is(host.MemorySwap, host.Memory);
    t.is(host.RestartPolicy.Name, 'unless-stopped');
    t.false(mounts.some(({ Source: source }) => source.endsWith('docker.sock')));
  });
}

test('the engine container is not privileged, lacks the capabilities it does not need, and publishes no port', async (t) => {
  const { HostConfig: host } = await inspect('dind');
  t.deepEqual(host.CapDrop, ['ALL']);
  for (const name of ['SYS_MODULE', 'SYS_BOOT', 'SYS_TIME', 'SYS_RAWIO', 'MAC_ADMIN', 'SYSLOG', 'ALL']) {
    t.false(host.CapAdd?.some((added) => added.replace('CAP_', '') === name) ?? false, name);
  }
  t.deepEqual(host.PortBindings ?? {}, {});
});

test('Redis is not published, and only those who know the password are served', async (t) => {
  const { HostConfig: host } = await inspect('redis');
  t.deepEqual(host.PortBindings ?? {}, {});
  t.regex(await compose('exec', '-T', 'redis', 'redis-cli', 'ping'), /NOAUTH/);
});

test('the orchestrator is not root, cannot write to its image, has no capability, and is published on loopback only', async (t) => {
  const { HostConfig: host, Config: config, Mounts: mounts } = await inspect('orchestrator');
  t.notRegex(config.User, /^(0|root)?(:|$)/);
  t.true(host.ReadonlyRootfs);
  t.deepEqual([host.CapDrop, host.CapAdd ?? []], [['ALL'], []]);
  t.true(host.SecurityOpt.some((option) => option.startsWith('no-new-privileges')));
  const published = Object.values(host.PortBindings ?? {}).flat();
  t.true(published.length > 1);
  t.true(published.every(({ HostIp: ip }) => ip === '127.0.0.1'));
  t.false(mounts.find(({ Destination: path }) => path === '/config')?.RW ?? true);
});

test('the orchestrator has the client half of the certificates and no more', async (t) => {
  const certificates = await compose('exec', '-T', 'orchestrator', 'find', '/certs', '-type', 'f');
  t.deepEqual(
    certificates
      .trim()
      .split('\n')
      .map((path) => path.split('/').at(-1))
      .sort(),
    ['ca.pem', 'cert.pem', 'key.pem'],
  );
});

test('docker inside the engine container works, and root there is nobody outside', async (t) => {
  t.regex(await dockerInside('ps'), /CONTAINER ID/);
  t.regex(await dockerInside('info', '--format', '{{.SecurityOptions}}'), /userns/);
});

test('the log of the set-up, which people show when they ask for help, has no secret of the stack', async (t) => {
  const { GANTRY_TEST_ADMIN_TOKEN: token = '', GANTRY_TEST_REDIS_URL: redis = '' } = process.env;
  const { GANTRY_TEST_CONFIG_DIR: directory = '' } = process.env;
  const log = await readFile(join(directory, '..', 'setup.log'), 'utf8');
  t.regex(log, /cat \/var\/lib\/gantry\/admin-token/);
  for (const secret of [token, decodeURIComponent(new URL(redis).password)]) {
    t.true(secret.length >= 20);
    t.false(log.includes(secret));
  }
});

test('the engine answers nobody without a client certificate', async (t) => {
  const { dind, port } = { dind: 'dind', port: 2376 };
  const script = `const s=require('node:https').get({host:'${dind}',port:${port},path:'/_ping',rejectUnauthorized:false},r=>{console.log('answered',r.statusCode)});s.on('error',e=>console.log('refused',e.code))`;
  t.regex(await compose('exec', '-T', 'orchestrator', 'node', '-e', script), /^refused/);
});

test('a server with a port of its own answers there too', async (t) => {
  const { url } = await untilReady('plain');
  t.is((await server('plain')).url, url);
  const own = new URL('http://127.0.0.1:13001/mcp');
  const answer = await rawRequest(own, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify(initializeRequest()),
  });
  t.is(answer.status, 200);
  const id = String(answer.headers['mcp-session-id']);
  const session = new McpSession('plain', id, '2025-11-25', JSON.parse(answer.text) as never);
  // One mesh behind both addresses: the session is known at the other one.
  t.is((await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' })).status, 200);
  t.is((await session.end()).status, 204);
  t.is((await postMcp('plain', {} satisfies Json)).status, 400);
  t.not(own.origin, new URL(baseUrl).origin);
});

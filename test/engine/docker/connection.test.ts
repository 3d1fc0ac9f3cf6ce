import { createServer, type RequestListener } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { compareVersions, DockerConnection } from '../../../orchestrator/engine/docker/connection.ts';
import { EngineError } from '../../../orchestrator/engine/index.ts';
import { socketPathOf } from './socket-path.ts';

async function daemon(t: ExecutionContext, handle: RequestListener) {
  const server = createServer(handle);
  const socketPath = socketPathOf(t);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return new DockerConnection({ socketPath });
}

function inspect(connection: DockerConnection, timeoutMs = 5_000) {
  return connection.request('container', timeoutMs, (docker, abortSignal) =>
    docker.getContainer('x').inspect({ abortSignal }),
  );
}

for (const [newest, oldest, spoken] of [
  ['1.41', '1.12', '1.41'],
  ['1.45', '1.24', '1.44'],
  ['1.52', '1.44', '1.44'],
  ['1.60', '1.48', '1.48'],
] as const) {
  test(`a daemon that speaks ${oldest} to ${newest} is spoken to in ${spoken}`, async (t) => {
    const paths: string[] = [];
    const connection = await daemon(t, (request, response) => {
      paths.push(request.url ?? '');
      response.end(JSON.stringify({ ApiVersion: newest, MinAPIVersion: oldest }));
    });
    t.is(await connection.apiVersion(), spoken);
    await inspect(connection);
    t.deepEqual(paths, ['/version', `/v${spoken}/containers/x/json`]);
  });
}

test('versions are compared as versions', (t) => {
  t.true(compareVersions('1.9', '1.44') < 0);
  t.true(compareVersions('2.0', '1.44') > 0);
  t.is(compareVersions('1.44', '1.44'), 0);
});

for (const [status, code] of [
  [404, 'not_found'],
  [409, 'conflict'],
  [400, 'bad_spec'],
] as const) {
  test(`an answer of ${status} is ${code}, with the daemon's own words kept as the cause`, async (t) => {
    const connection = await daemon(t, (request, response) => {
      if (request.url === '/version') response.end('{"ApiVersion":"1.44"}');
      else response.writeHead(status).end('{"message":"secret of the daemon"}');
    });
    const error = await t.throwsAsync(inspect(connection), { instanceOf: EngineError });
    t.is(error?.code, code);
    t.regex(String(error?.cause), /secret of the daemon/);
  });
}

test('a daemon that is broken, silent or absent is unavailable, and nothing of Docker is shown', async (t) => {
  const version = '{"ApiVersion":"1.44"}';
  const broken = await daemon(t, (request, response) => {
    if (request.url === '/version') response.end(version);
    else response.writeHead(500).end('{"message":"/var/lib/docker is full"}');
  });
  const silent = await daemon(t, (request, response) => {
    if (request.url === '/version') response.end(version);
  });
  const absent = new DockerConnection({ socketPath: '/nowhere/engine.sock' });
  const expectation = {
    code: 'engine_unavailable',
    message: 'The container engine does not answer.',
  } as const;
  await t.throwsAsync(inspect(broken), expectation);
  await t.throwsAsync(inspect(silent, 50), expectation);
  await t.throwsAsync(inspect(absent), expectation);
});

import { createServer, type ServerResponse } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { DockerConnection } from '../../../orchestrator/engine/docker/connection.ts';
import { EventFeed } from '../../../orchestrator/engine/docker/events.ts';
import type { EngineEvent } from '../../../orchestrator/engine/index.ts';
import { socketPathOf } from './socket-path.ts';

type Listed = { Id: string; State: string };

/** A daemon whose event stream and container list the test controls. */
async function daemon(t: ExecutionContext) {
  const streams: { since: string; response: ServerResponse }[] = [];
  let arrived = Promise.withResolvers<void>();
  const state: { listed: Listed[] } = { listed: [] };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://engine');
    if (url.pathname === '/version') response.end('{"ApiVersion":"1.44","MinAPIVersion":"1.24"}');
    else if (url.pathname.endsWith('/containers/json')) response.end(JSON.stringify(state.listed));
    else {
      response.writeHead(200).flushHeaders();
      streams.push({ since: url.searchParams.get('since') ?? '', response });
      arrived.resolve();
      arrived = Promise.withResolvers<void>();
    }
  });
  const socketPath = socketPathOf(t);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    state,
    connection: new DockerConnection({ socketPath }),
    /** The nth subscription, once it is there. */
    async stream(number: number) {
      while (streams.length < number) await arrived.promise;
      return streams[number - 1] as { since: string; response: ServerResponse };
    },
  };
}

function line(action: string, id: string, nano: string): string {
  return `{"Type":"container","Action":"${action}","Actor":{"ID":"${id}"},"timeNano":${nano}}\n`;
}

/** Follows the feed; `next` is the next event told. */
function follow(t: ExecutionContext, connection: DockerConnection) {
  const told: string[] = [];
  let woken = Promise.withResolvers<void>();
  const feed = new EventFeed(connection, ({ type, containerId }: EngineEvent) => {
    told.push(`${type} ${containerId}`);
    woken.resolve();
    woken = Promise.withResolvers<void>();
  });
  t.teardown(() => feed.close());
  return async () => {
    while (told.length === 0) await woken.promise;
    return told.shift();
  };
}

test('after a break the feed asks from the last event on, to the nanosecond, and repeats nothing', async (t) => {
  const { connection, stream } = await daemon(t);
  const next = follow(t, connection);
  const first = await stream(1);
  const died = line('die', 'a', '1790000000123456789');
  first.response.write(died.slice(0, 30));
  first.response.write(died.slice(30));
  t.is(await next(), 'die a');
  first.response.destroy();
  const second = await stream(2);
  t.is(second.since, '1790000000.123456789');
  second.response.write(died + line('oom', 'b', '1790000000123456790'));
  t.is(await next(), 'oom b');
});

test('what was alive before a break and is gone after it is told as dead', async (t) => {
  const { connection, stream, state } = await daemon(t);
  state.listed = [
    { Id: 'kept', State: 'running' },
    { Id: 'ended', State: 'running' },
    { Id: 'vanished', State: 'paused' },
  ];
  const next = follow(t, connection);
  const first = await stream(1);
  // An event told proves that the first list was taken in.
  first.response.write(line('oom', 'x', '1790000000000000001'));
  t.is(await next(), 'oom x');
  state.listed = [
    { Id: 'kept', State: 'running' },
    { Id: 'ended', State: 'exited' },
  ];
  first.response.destroy();
  await stream(2);
  t.is(await next(), 'die ended');
  t.is(await next(), 'die vanished');
  t.is(await next(), 'destroy vanished');
});

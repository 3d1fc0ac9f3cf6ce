import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import test from 'ava';
import { writeEventStream } from '../../orchestrator/http/sse.ts';

test('a stream with nothing to say is kept alive by comments, which end with it', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const said = Promise.withResolvers<void>();
  async function* events(): AsyncIterable<string> {
    await said.promise;
    yield 'data: at last\n\n';
  }
  const server = createServer((_request, response) => {
    void writeEventStream(response, events(), { headers: {}, signal: new AbortController().signal });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const sent = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false });
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks = response.setEncoding('utf8')[Symbol.asyncIterator]();

  for (const _ of [1, 2]) {
    mock.timers.tick(15_000);
    t.is((await chunks.next()).value, ': keep-alive\n\n');
  }
  said.resolve();
  t.is((await chunks.next()).value, 'data: at last\n\n');
  t.true((await chunks.next()).done);
  mock.timers.tick(60_000); // nothing is written to a stream that has ended: that would be an unhandled error
});

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import test from 'ava';
import { BOTH_KINDS, toolCall } from '../../e2e/mcp-session.ts';
import { until } from '../../e2e/until.ts';
import type { HostOrchestrator } from '../host-orchestrator.ts';
import { IN_FLIGHT, Load } from '../load.ts';
import { SlowReader } from '../slow-reader.ts';
import {
  allInFlight,
  CALL_TIMEOUT_MS,
  ended,
  judged,
  LATE,
  SERVER,
  STORM,
  startWorld,
  TELLING,
  underFault,
} from '../world.ts';

let mesh: HostOrchestrator;

test.before(async (t) => {
  t.timeout(280_000);
  mesh = await startWorld(LATE, STORM);
});
test.after.always(async (t) => {
  t.timeout(120_000);
  await mesh?.end();
});

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

function portOf({ url }: HostOrchestrator): number {
  return Number(new URL(url).port);
}

/** A call of a client that is no part of the load. Resolves with the beginning of its answer. */
async function begin(tool: string, args: Record<string, unknown>): Promise<IncomingMessage> {
  const sent = request(new URL(`/mcp/${SERVER}`, mesh.url), {
    method: 'POST',
    agent: false,
    headers: {
      accept: BOTH_KINDS,
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': tool,
    },
  });
  sent.end(JSON.stringify(toolCall(1, tool, args, { ...META, progressToken: 1 })));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

test.serial('200 calls in flight: a hundred more callers leave in the middle of their stream', async (t) => {
  t.timeout(120_000);
  const { failed } = await underFault(t, mesh, async () => {
    const leaving = Array.from({ length: 100 }, (_, index) =>
      begin('tell', { marker: `leaving/${index}`, steps: 60, ms: 1000 }),
    );
    for (const response of await Promise.all(leaving)) {
      await once(response, 'data'); // its stream has begun
      response.on('error', () => {}).destroy();
    }
  });
  t.deepEqual(failed, []);
  await until('every slot is free again, long before those calls would have ended', async () => {
    const { json } = await mesh.api<{ callsInFlight: number }>('GET', `/api/v1/servers/${SERVER}`);
    return json.callsInFlight === 0;
  });
});

test.serial(
  '200 calls in flight: callers that read nothing, or a byte a second, of large answers hold up nobody',
  async (t) => {
    t.timeout(120_000);
    const silent = Array.from({ length: 10 }, () => connect(portOf(mesh), '127.0.0.1').pause());
    const slow = Array.from({ length: 10 }, () => new SlowReader(portOf(mesh)));
    t.teardown(() => {
      for (const socket of [...silent, ...slow.map((reader) => reader.socket)]) socket.destroy();
    });
    const { failed } = await underFault(t, mesh, async () => {
      const body = JSON.stringify(toolCall(1, 'big', { bytes: 4_000_000 }, META));
      for (const socket of [...silent, ...slow.map((reader) => reader.socket)]) {
        socket.write(
          `POST /mcp/${SERVER} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: ${BOTH_KINDS}\r\nContent-Type: application/json\r\n` +
            `MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: big\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
      }
      await until('each of the slow ones has read eight bytes', async () =>
        slow.every(({ text }) => text === 'HTTP/1.1'),
      );
      await allInFlight(mesh);
    });
    t.deepEqual(failed, []);
  },
);

test.serial('200 calls in flight: every answer comes after its call has timed out', async (t) => {
  t.timeout(120_000);
  const load = new Load({
    url: mesh.url,
    server: LATE,
    telling: { ...TELLING, steps: 1, ms: CALL_TIMEOUT_MS },
  });
  await load.start();
  await until('the calls have timed out', async () => load.history.verdict().failed.length >= IN_FLIGHT);
  await ended(load);
  const { answers } = await judged(t, mesh, load, LATE);
  t.is(answers, 0);
  const whys = [...load.history.failures.values()].filter(
    (why) => !/call_timeout|replica_failed|no_replica/.test(why),
  );
  t.deepEqual(whys, []);
});

test.serial(
  '200 calls in flight: a server that takes one call at a time refuses the rest, and loses none',
  async (t) => {
    t.timeout(120_000);
    const load = new Load({ url: mesh.url, server: STORM, telling: { ...TELLING, ms: 50 } });
    await load.start();
    await until('many were refused and some answered', async () => {
      const { answers, failed } = load.history.verdict();
      return failed.length > 5 * IN_FLIGHT && answers > 20;
    });
    await ended(load);
    await judged(t, mesh, load, STORM);
    const whys = [...load.history.failures.values()].filter((why) => !/queue_full|no_replica/.test(why));
    t.deepEqual(whys, []);
  },
);

import test, { type ExecutionContext } from 'ava';
import { CHANNELS, reachedOver } from './channels.ts';
import { api, callTool, containersOf, type Json, metric, server, textOf } from './harness.ts';
import { openSession } from './mcp-session.ts';
import {
  addServer,
  fixtureEntry,
  makeServer,
  othersAnswer,
  readyServer,
  removeServer,
  untilFailed,
  untilReady,
} from './own-server.ts';
import { until } from './until.ts';

// As many lines as test/fixtures/servers/garbage.py prints before each answer.
const GARBAGE_LINES = 8;
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** What each channel has one server of for all tests that only call it. */
const CALLED = ['garbage.py', 'split_lines.py', 'one_byte_frames.py', 'long_line.py'];
const called = new Map<string, string>();

// The stack may still be on its way up when this is the first file to run.
test.before(async (t) => {
  t.timeout(300_000);
  await untilReady('plain', 290_000);
  for (const { channel, entry } of CHANNELS) {
    for (const file of CALLED) {
      const name = await addServer('bad', { ...(await fixtureEntry(file)), ...entry });
      called.set(`${file} ${channel}`, name);
    }
  }
  await Promise.all([...called.values()].map((name) => untilReady(name)));
});
test.after.always(async (t) => {
  t.timeout(60_000);
  await Promise.all([...called.values()].map((name) => removeServer(name)));
});

// All that depends on what comes over the channel, over each of them.
for (const { channel, entry } of CHANNELS) {
  const calledServer = async (t: ExecutionContext, file: string): Promise<string> => {
    const name = called.get(`${file} ${channel}`) ?? '';
    await reachedOver(t, name, channel);
    return name;
  };
  const ownServer = async (t: ExecutionContext, file: string, more: Json = {}): Promise<string> => {
    const name = await readyServer(t, file, { ...entry, ...more });
    await reachedOver(t, name, channel);
    return name;
  };

  test(`garbage, half messages, broken UTF-8 and answers to nobody are dropped and counted, and the call is answered (${channel})`, async (t) => {
    const name = await ownServer(t, 'garbage.py');
    await until('its tools are listed', async () => (await server(name)).toolCount > 0);
    const dropped = () => metric('gantry_lines_dropped_total', `server="${name}"`);
    const calls = 5;
    await until('all lines before five answers, and no others, are counted', async () => {
      const before = await dropped();
      for (let call = 0; call < calls; call += 1)
        t.is(await callTool(name, 'echo', { text: `${call}` }), `${call}`);
      const counted = (await dropped()) - before;
      t.true(counted >= calls * GARBAGE_LINES);
      // More are counted in a round in which somebody else asked it too: a probe, or a list of all servers' tools.
      return counted === calls * GARBAGE_LINES;
    });
  });

  test(`a session with a server that prints garbage is served (${channel})`, async (t) => {
    const name = await calledServer(t, 'garbage.py');
    const session = await openSession(t, name);
    t.is(textOf((await session.call(987654321, 'echo', { text: 'clean' })).result), 'clean');
    t.is(textOf((await session.call('unknown', 'echo', { text: 'clean' })).result), 'clean');
    t.is(await reachedOver(t, name, channel), 2);
  });

  test(`an answer cut inside a line and inside a character arrives whole (${channel})`, async (t) => {
    const name = await calledServer(t, 'split_lines.py');
    t.is(await callTool(name, 'echo', { text: 'grüße 世界' }), 'grüße 世界');
  });

  // Not a server of all tests: it would flood for as long as they run.
  test(`a flood on stderr holds up neither its own server nor others, and only a bounded end of it is kept (${channel})`, async (t) => {
    const name = await ownServer(t, 'stderr_flood.py', { resources: { cpus: 0.2 } });
    t.is(await callTool(name, 'echo', { text: 'above water' }), 'above water');
    t.true(await othersAnswer());
    const lines = () => metric('gantry_stderr_lines_total', `server="${name}"`);
    const before = await until('a flood', async () => (await lines()) > 1000 && (await lines()));
    await until('more of the flood', async () => (await lines()) > before + 1000);
    const [container] = await containersOf(name);
    const { status, text } = await api('GET', `/api/v1/containers/${container?.id}/logs`);
    t.is(status, 200);
    t.regex(text, /flood line \d{5}/);
    t.true(text.length < 1024 * 1024);
  });

  test(`64 KiB written byte by byte arrive, and others are answered meanwhile (${channel})`, async (t) => {
    const name = await calledServer(t, 'one_byte_frames.py');
    const bytewise = callTool(name, 'bytewise');
    t.true(await othersAnswer());
    t.is(await bytewise, 'b'.repeat(64 * 1024));
  });

  test(`a line of exactly maxLineBytes passes (${channel})`, async (t) => {
    const name = await calledServer(t, 'long_line.py');
    const text = await callTool(name, 'line', { bytes: MAX_LINE_BYTES });
    t.true(text.length > MAX_LINE_BYTES - 200);
  });

  test(`a line over maxLineBytes fails the replica with line_too_long, and the replica is made anew (${channel})`, async (t) => {
    const name = await ownServer(t, 'long_line.py');
    const before = await containersOf(name);
    const answer = await api('POST', `/api/v1/servers/${name}/tools/line`, {
      body: { bytes: MAX_LINE_BYTES + 1 },
    });
    t.is(answer.status, 502);
    const { error } = JSON.parse(answer.text);
    t.is(error.code, 'replica_failed');
    t.regex(JSON.stringify(error), /line_too_long/);
    t.is(await metric('gantry_replica_failures_total', `server="${name}"`, 'reason="line_too_long"'), 1);
    t.true(await othersAnswer());
    await until('another container', async () =>
      (await containersOf(name)).some((one) => one.state === 'ready' && one.id !== before[0]?.id),
    );
  });

  test(`a line over maxLineBytes ends the session that it belongs to, with line_too_long (${channel})`, async (t) => {
    const name = await calledServer(t, 'long_line.py');
    const session = await openSession(t, name);
    await reachedOver(t, name, channel);
    const answer = await session.call(1, 'line', { bytes: MAX_LINE_BYTES + 1 });
    t.like(answer.error, { code: -32000, data: { code: 'replica_failed' } });
    t.regex(JSON.stringify(answer.error), /line_too_long/);
  });

  test(`a server that never becomes ready fails alone, with the reason and what it said on stderr (${channel})`, async (t) => {
    const fixture = await fixtureEntry('never_ready.py');
    const name = await makeServer(t, 'never-ready', { ...fixture, ...entry, timeouts: { readyMs: 8000 } });
    await reachedOver(t, name, channel);
    const { reason } = await untilFailed(name);
    t.is(reason?.code, 'never_ready');
    t.regex(reason?.message ?? '', /readyMs/);
    t.is(reason?.stderr.at(-1), 'fixture: waiting for a licence that never comes');
    t.is(reason?.exitCode, null);
  });

  test(`a server that exits at once fails alone, with its exit code and what it said on stderr (${channel})`, async (t) => {
    const fixture = await fixtureEntry('exits_at_once.py');
    const name = await makeServer(t, 'exits-at-once', { ...fixture, ...entry });
    await reachedOver(t, name, channel);
    // Looked at in any state: the first restarts come at once.
    const reason = await until('a reason', async () => (await server(name)).reason);
    t.true(['exited', 'crash_loop'].includes(reason.code), reason.code);
    t.is(reason.exitCode, 3);
    t.is(reason.stderr.at(-1), 'fixture: FIXTURE_TOKEN is not set');
  });

  test(`a server that ignores the end of stdin and SIGTERM is gone within the deadline of a stop (${channel})`, async (t) => {
    const name = await ownServer(t, 'stubborn.py', { timeouts: { drainMs: 2000 } });
    const started = Date.now();
    t.is((await api('DELETE', `/api/v1/servers/${name}`)).status, 204);
    t.true(Date.now() - started < 30_000);
    t.is((await containersOf(name)).length, 0);
  });
}

test('the delay of the event loop is a metric', async (t) => {
  t.true((await metric('gantry_event_loop_delay_p99_seconds')) >= 0);
  t.true((await metric('gantry_event_loop_delay_max_seconds')) >= 0);
});

test('a server that keeps failing is a crash loop with the time of the next try', async (t) => {
  t.timeout(240_000);
  const name = await makeServer(t, 'crash-loop', await fixtureEntry('exits_at_once.py'));
  const looping = await until(
    'a crash loop',
    async () => {
      const seen = await server(name);
      return seen.reason?.code === 'crash_loop' ? seen : undefined;
    },
    { timeoutMs: 220_000 },
  );
  t.is(looping.state, 'failed');
  t.true(Date.parse(looping.nextTryAt ?? '') > Date.now());
  t.is(looping.reason?.exitCode, 3);
});

test('a package that npm does not have fails alone, with a reason a user can act on', async (t) => {
  const npm = '@modelcontextprotocol/server-that-is-not-there@1.2.3';
  const name = await makeServer(t, 'missing', { npm });
  const { reason } = await untilFailed(name, 110_000);
  t.is(reason?.code, 'install_failed');
  t.regex(reason?.message ?? '', /server-that-is-not-there/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is exactly them that must not be there
  t.notRegex(reason?.stderr.join(' ') ?? '', /[\u0000-\u0008\u001b]/);
});

test('a version that npm does not have fails alone, with a reason that names it', async (t) => {
  const name = await makeServer(t, 'missing-version', { npm: '@modelcontextprotocol/server-memory@0.0.987' });
  const { reason } = await untilFailed(name, 110_000);
  t.is(reason?.code, 'install_failed');
  t.regex(`${reason?.message} ${reason?.stderr.join('\n')}`, /0\.0\.987/);
});

test('servers of the file that cannot start fail with a reason, and all others are ready', async (t) => {
  const failing = {
    'never-ready': 'never_ready',
    'exits-at-once': 'exited',
    'missing-package': 'install_failed',
  };
  for (const [name, code] of Object.entries(failing)) {
    const seen = await until(`a reason of ${name}`, async () => {
      const { state, reason } = await server(name);
      return state === 'failed' && reason;
    });
    t.true([code, 'crash_loop'].includes(seen.code), `${name}: ${seen.code}`);
    t.true(seen.message.length > 20);
  }
  for (const name of [
    'everything',
    'filesystem',
    'memory',
    'sequential-thinking',
    'clock',
    'garbage',
    'stubborn',
  ]) {
    t.is((await server(name)).state, 'ready', name);
  }
  await until('readiness', async () => (await api('GET', '/readyz')).status === 200);
});

test('a call to a server that is not ready is refused at once with 503', async (t) => {
  const answer = await api('POST', '/api/v1/servers/missing-package/tools/any', { body: {} });
  t.is(answer.status, 503);
  t.is(JSON.parse(answer.text).error.code, 'no_replica');
});

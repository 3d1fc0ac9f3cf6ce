import test from 'ava';
import { callTool, dockerInside, metric } from './harness.ts';
import { openSession } from './mcp-session.ts';
import { uniqueName, untilReady } from './own-server.ts';
import { until } from './until.ts';
import { allReady, ask, resultOf, runsOf, workers } from './workers.ts';

test.before(async (t) => {
  t.timeout(300_000);
  await untilReady('plain', 290_000);
});

/** Kills the container that has begun a run, behind Gantry's back. @returns its host name */
async function killHolder(name: string, run: string): Promise<string> {
  const [host = ''] = await until(`${run} has begun`, async () => {
    const hosts = await runsOf(name, run);
    return hosts.length > 0 && hosts;
  });
  await dockerInside('kill', host);
  return host;
}

test('a call of a tool marked idempotent is answered by another replica when its own is killed', async (t) => {
  t.timeout(280_000);
  const name = await workers(t, 2);
  const run = uniqueName('run');
  const call = ask(name, 'hold_once', { run });
  const killed = await killHolder(name, run);
  const answeredBy = resultOf(await call);
  t.not(answeredBy, killed);
  t.deepEqual(await runsOf(name, run), [killed, answeredBy], 'it ran twice, as it may');
  t.is(await metric('gantry_retries_total', `server="${name}"`, 'why="idempotent"'), 1);
  await allReady(name, 2);
});

test('a call of a tool that is not marked ends with a typed error and has run once', async (t) => {
  t.timeout(280_000);
  const name = await workers(t, 2);
  const run = uniqueName('run');
  const call = ask(name, 'hold_only_once', { run });
  const killed = await killHolder(name, run);
  const { status, text } = await call;
  t.is(status, 502, text);
  const { code, detail } = JSON.parse(text).error;
  t.is(code, 'replica_failed');
  t.like(detail, { server: name, mayHaveRun: true, reason: 'signal', exitCode: 137 });
  await allReady(name, 2);
  t.deepEqual(await runsOf(name, run), [killed], 'the volume has seen it once');
  t.is(await metric('gantry_retries_total', `server="${name}"`), 0);
  t.is(await metric('gantry_retries_refused_total', `server="${name}"`, 'why="may_have_run"'), 1);
});

test('in a session too the call moves and the session goes on; a pool of one waits for its successor', async (t) => {
  t.timeout(280_000);
  const name = await workers(t, 1, { balance: { queueTimeoutMs: 60_000 } });
  const session = await openSession(t, name);
  const run = uniqueName('run');
  const call = session.call(1, 'hold_once', { run });
  const killed = await killHolder(name, run);
  const { result, error } = await call;
  t.is(error, undefined);
  t.notDeepEqual(result, { content: [{ type: 'text', text: killed }] });
  t.deepEqual((await runsOf(name, run)).length, 2);
  t.is((await session.call(2, 'echo', { text: 'still here' })).error, undefined);
  t.is(await callTool(name, 'echo', { text: 'and here' }), 'and here');
});

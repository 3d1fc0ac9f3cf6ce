import test, { type ExecutionContext } from 'ava';
import { Facts } from '../../orchestrator/kernel/index.ts';
import { countFacts } from '../../orchestrator/telemetry/index.ts';

function counting(t: ExecutionContext) {
  const facts = new Facts();
  const metrics = countFacts(facts);
  t.teardown(() => metrics.close());
  /** The value of one series, or undefined where there is none. */
  const seriesOf = async (series: string): Promise<number | undefined> => {
    const { text } = await metrics.render();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { facts, metrics, seriesOf };
}

test('calls are counted by server, method and outcome, with their duration in seconds', async (t) => {
  const { facts, seriesOf } = counting(t);
  facts.state({ type: 'call.ended', server: 'a', method: 'tools/call', outcome: 'ok', durationMs: 250 });
  facts.state({ type: 'call.ended', server: 'a', method: 'tools/call', outcome: 'ok', durationMs: 750 });
  const labels = '{server="a",method="tools/call",outcome="ok"}';
  t.is(await seriesOf(`gantry_calls_total${labels}`), 2);
  t.is(await seriesOf(`gantry_call_duration_seconds_sum${labels}`), 1);
});

test('methods that a client makes up share one label', async (t) => {
  const { facts, metrics, seriesOf } = counting(t);
  for (let i = 0; i < 500; i++) {
    facts.state({
      type: 'call.ended',
      server: 'a',
      method: `made/up-${i}`,
      outcome: 'rpc_error',
      durationMs: 1,
    });
  }
  t.is(await seriesOf('gantry_calls_total{server="a",method="other",outcome="rpc_error"}'), 500);
  t.false((await metrics.render()).text.includes('made/up'));
});

test('words beyond a number share one label', async (t) => {
  const { facts, metrics } = counting(t);
  for (let i = 0; i < 500; i++)
    facts.state({ type: 'line.dropped', server: 'a', replica: 'a-1', why: `why-${i}`, count: 1 });
  const series = (await metrics.render()).text
    .split('\n')
    .filter((line) => line.startsWith('gantry_lines_dropped_total{'));
  t.is(series.length, 41);
});

test('sessions open goes up and down', async (t) => {
  const { facts, seriesOf } = counting(t);
  facts.state({ type: 'session.opened', server: 'a' });
  facts.state({ type: 'session.opened', server: 'a' });
  facts.state({ type: 'session.closed', server: 'a', why: 'deleted' });
  t.is(await seriesOf('gantry_sessions_open{server="a"}'), 1);
  t.is(await seriesOf('gantry_sessions_closed_total{server="a",why="deleted"}'), 1);
});

test('living replicas are counted by state; one that ended leaves', async (t) => {
  const { facts, seriesOf } = counting(t);
  const note = (replica: string, state: string) =>
    facts.state({ type: 'replica.state', server: 'a', replica, state, reason: null });
  note('a-1', 'starting');
  note('a-1', 'ready');
  note('a-2', 'ready');
  t.is(await seriesOf('gantry_replicas{server="a",state="ready"}'), 2);
  t.is(await seriesOf('gantry_replicas{server="a",state="starting"}'), undefined);
  note('a-2', 'failed');
  t.is(await seriesOf('gantry_replicas{server="a",state="ready"}'), 1);
  t.is(await seriesOf('gantry_replica_failures_total{server="a",reason="internal"}'), 1);
});

test('requests are counted by route pattern', async (t) => {
  const { facts, seriesOf } = counting(t);
  facts.state({
    type: 'http.request',
    method: 'GET',
    route: '/api/v1/servers/{name}',
    status: 404,
    durationMs: 1,
  });
  t.is(
    await seriesOf('gantry_http_requests_total{method="GET",route="/api/v1/servers/{name}",status="404"}'),
    1,
  );
});

test('the delay of the event loop shows a loop that was held', async (t) => {
  const { seriesOf } = counting(t);
  // Time itself is the subject: the delay is sampled by a timer.
  const turn = () => new Promise((resolve) => setTimeout(resolve, 60));
  await turn();
  await turn();
  const until = performance.now() + 200;
  while (performance.now() < until); // holding the loop is the point
  await turn();
  const max = (await seriesOf('gantry_event_loop_delay_max_seconds')) ?? 0;
  t.true(max > 0.08 && max < 5, String(max));
  t.true(((await seriesOf('gantry_event_loop_delay_p99_seconds')) ?? -1) >= 0);
});

test('everything has the prefix, the process included, and two meshes do not share a registry', async (t) => {
  const one = counting(t);
  const two = counting(t);
  one.facts.state({ type: 'engine.state', state: 'up', message: '' });
  const { text, contentType } = await one.metrics.render();
  const names = text
    .split('\n')
    .flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.split(/[ {]/)[0] ?? '']));
  t.deepEqual(
    names.filter((name) => !name.startsWith('gantry_')),
    [],
  );
  t.true(names.includes('gantry_process_resident_memory_bytes'));
  t.regex(contentType, /^text\/plain; version=0\.0\.4/);
  t.is(await one.seriesOf('gantry_engine_up'), 1);
  t.is(await two.seriesOf('gantry_engine_up'), 0);
});

test('calls that wait, are refused or sent again are counted, and the queue goes up and down', async (t) => {
  const { facts, seriesOf } = counting(t);
  facts.state({ type: 'call.waiting', server: 'a' });
  facts.state({ type: 'call.waiting', server: 'a' });
  facts.state({ type: 'call.waited', server: 'a', outcome: 'served', waitMs: 500 });
  facts.state({ type: 'call.refused', server: 'a', why: 'queue_full' });
  facts.state({ type: 'call.retried', server: 'a', method: 'ping', why: 'read_only' });
  facts.state({ type: 'call.not_retried', server: 'a', method: 'tools/call', why: 'may_have_run' });
  t.is(await seriesOf('gantry_calls_queued_total{server="a"}'), 2);
  t.is(await seriesOf('gantry_queue_length{server="a"}'), 1);
  t.is(await seriesOf('gantry_queue_wait_seconds_sum{server="a",outcome="served"}'), 0.5);
  t.is(await seriesOf('gantry_calls_refused_total{server="a",why="queue_full"}'), 1);
  t.is(await seriesOf('gantry_retries_total{server="a",why="read_only"}'), 1);
  t.is(await seriesOf('gantry_retries_refused_total{server="a",why="may_have_run"}'), 1);
});

test('picks are counted by replica, and replicas beyond a number share one label', async (t) => {
  const { facts, metrics, seriesOf } = counting(t);
  facts.state({ type: 'replica.picked', server: 'a', replica: 'a-1' });
  facts.state({ type: 'replica.picked', server: 'a', replica: 'a-1' });
  t.is(await seriesOf('gantry_picks_total{server="a",replica="a-1"}'), 2);
  for (let i = 0; i < 3000; i++) facts.state({ type: 'replica.picked', server: 'b', replica: `b-${i}` });
  const series = (await metrics.render()).text
    .split('\n')
    .filter((line) => line.startsWith('gantry_picks_total{'));
  t.is(series.length, 2001);
});

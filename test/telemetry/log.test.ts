import test from 'ava';
import { type Fact, Facts, reason } from '../../orchestrator/kernel/index.ts';
import { type LogLevel, logFacts } from '../../orchestrator/telemetry/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

function logOf(level: LogLevel) {
  const facts = new Facts();
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const log = logFacts(facts, {
    level,
    clock,
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  return { facts, clock, lines, log };
}

const STDERR: Fact = { type: 'replica.stderr', server: 'a', replica: 'a-1', line: 'password=hunter2' };

test('a fact is one JSON line with its level, time and fields', (t) => {
  const { facts, lines } = logOf('info');
  facts.state({ type: 'config.applied', added: 1, changed: 0, removed: 0 });
  t.deepEqual(lines, [
    {
      level: 'info',
      time: '1970-01-01T00:16:40.000Z',
      fact: 'config.applied',
      added: 1,
      changed: 0,
      removed: 0,
    },
  ]);
});

test('what a server wrote on stderr is not in the log above debug, not in a reason either', (t) => {
  const { facts, lines } = logOf('info');
  facts.state(STDERR);
  facts.state({
    type: 'replica.state',
    server: 'a',
    replica: 'a-1',
    state: 'failed',
    reason: reason('exited', 'It exited.', { exitCode: 1, stderr: ['password=hunter2'] }),
  });
  t.deepEqual(
    lines.map(({ fact, level }) => [fact, level]),
    [['replica.state', 'warn']],
  );
  t.deepEqual(lines[0]?.reason, { code: 'exited', message: 'It exited.', exitCode: 1 });
});

test('stderr has a budget per replica, and what was left out is counted', (t) => {
  const { facts, clock, lines } = logOf('debug');
  for (let i = 0; i < 100; i++) facts.state(STDERR);
  facts.state({ ...STDERR, replica: 'a-2' });
  t.is(lines.length, 21);
  clock.advance(10_000);
  facts.state(STDERR);
  t.is(lines.at(-1)?.suppressed, 80);
});

test('a very long text is cut', (t) => {
  const { facts, lines } = logOf('info');
  facts.state({ type: 'trouble', where: 'x', message: 'm'.repeat(100_000) });
  t.true(String(lines[0]?.message).length < 2_100);
});

test('levels say what needs a person', (t) => {
  const { facts, lines } = logOf('debug');
  facts.state({ type: 'engine.state', state: 'down', message: 'no answer' });
  facts.state({ type: 'engine.state', state: 'up', message: '' });
  facts.state({ type: 'http.request', method: 'GET', route: '/x', status: 500, durationMs: 1 });
  facts.state({ type: 'http.request', method: 'GET', route: '/x', status: 404, durationMs: 1 });
  t.deepEqual(
    lines.map(({ level }) => level),
    ['error', 'info', 'warn', 'debug'],
  );
});

test('a closed log is silent', (t) => {
  const { facts, lines, log } = logOf('debug');
  log.close();
  facts.state(STDERR);
  t.deepEqual(lines, []);
});

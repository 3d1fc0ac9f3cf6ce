import test from 'ava';
import type { ContainerExit } from '../../orchestrator/engine/index.ts';
import type { Reason } from '../../orchestrator/kernel/index.ts';
import { type ExitFacts, exitReason } from '../../orchestrator/lifecycle/exit-reason.ts';

const exit = (reason: ContainerExit['reason'], code: number): ExitFacts['found'] => ({
  what: 'exit',
  exit: { reason, code, signal: code > 128 ? 'SIGKILL' : null, at: '2026-01-01T00:00:00.000Z' },
});

const plain: ExitFacts = {
  channelEnd: { why: 'ended' },
  found: exit('exited', 3),
  oomSeen: false,
  killAsked: false,
  memoryBytes: 64 * 1024 * 1024,
  stderr: ['last words'],
};

const cases: readonly [string, Partial<ExitFacts>, Reason['code'], RegExp][] = [
  ['an exit code is named', {}, 'exited', /exit code 3/],
  ['a signal is named', { found: exit('signal', 137) }, 'signal', /SIGKILL \(exit code 137\)/],
  ["somebody else's kill is a signal", { found: exit('killed', 137) }, 'signal', /SIGKILL/],
  [
    'a kill that was asked for is told apart',
    { found: exit('signal', 137), killAsked: true },
    'killed',
    /as asked/,
  ],
  ['memory is named with its limit', { found: exit('oom', 137) }, 'oom', /64 MiB.*resources\.memory/],
  [
    'an out-of-memory event counts without the flag',
    { found: exit('signal', 137), oomSeen: true },
    'oom',
    /64 MiB/,
  ],
  [
    'a child that ran out of memory is not the exit',
    { found: exit('exited', 0), oomSeen: true },
    'exited',
    /code 0/,
  ],
  [
    'a line that is too long says how long it may be',
    { channelEnd: { why: 'line_too_long', maxLineBytes: 1000 }, found: { what: 'cut', exit: null } },
    'line_too_long',
    /1000 bytes/,
  ],
  ['closed output is named', { found: { what: 'cut', exit: null } }, 'exited', /closed its output/],
  ['a container that is gone is named', { found: { what: 'gone' } }, 'exited', /removed from outside/],
  ['the engine is named', { found: { what: 'engine_down' } }, 'engine_unavailable', /engine went away/],
  [
    'a broken connection is named',
    { channelEnd: { why: 'transport', error: new Error('reset') }, found: { what: 'unknown' } },
    'exited',
    /connection to the process broke/,
  ],
];

for (const [title, facts, code, message] of cases) {
  test(title, (t) => {
    const reason = exitReason({ ...plain, ...facts });
    t.is(reason.code, code);
    t.regex(reason.message, message);
    t.deepEqual(reason.stderr, ['last words']);
  });
}

import test from 'ava';
import fc from 'fast-check';
import type { BreakerPolicy, BreakerState } from '../../orchestrator/kernel/index.ts';
import { Breaker } from '../../orchestrator/resilience/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

/** What a breaker is meant to do, written the plain way: all outcomes since it was closed, counted anew each time. */
type Model = {
  state: BreakerState;
  outcomes: { failed: boolean; startMs: number }[];
  openings: number;
  mayOpen: boolean;
  policy: BreakerPolicy;
};
type Real = { breaker: Breaker; clock: FakeClock; told: BreakerState[] };

function opens(model: Model): void {
  model.state = 'open';
  model.openings++;
  model.outcomes = [];
}

function closes(model: Model): void {
  model.state = 'closed';
  model.openings = 0;
  model.outcomes = [];
}

/** Outcomes of one tenth of a window stand at its beginning. */
function sliceOf(model: Model, nowMs: number): number {
  const { windowMs } = model.policy;
  const last = model.outcomes.findLast(({ startMs }) => startMs > nowMs - windowMs);
  return last !== undefined && nowMs < last.startMs + windowMs / 10 ? last.startMs : nowMs;
}

function isDue({ outcomes, policy }: Model, nowMs: number): boolean {
  const row = outcomes.length - 1 - outcomes.findLastIndex(({ failed }) => !failed);
  if (row >= policy.consecutiveFailures) return true;
  const recent = outcomes.filter(({ startMs }) => startMs > nowMs - policy.windowMs);
  const failed = recent.filter((one) => one.failed).length;
  return recent.length >= policy.minCalls && failed / recent.length >= policy.failurePercent / 100;
}

type Step = {
  readonly run: (model: Model, real: Real) => void;
  readonly name: string;
};

class StepCommand implements fc.Command<Model, Real> {
  readonly #step: Step;

  constructor(step: Step) {
    this.#step = step;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    const before = model.state;
    const toldBefore = real.told.length;
    this.#step.run(model, real);
    const { breaker, told } = real;
    if (breaker.state !== model.state) throw new Error(`is ${breaker.state}, expected ${model.state}`);
    // Opening again from half-open is told too, so at most one change a step and never a silent one.
    const expected = before === model.state ? 0 : 1;
    if (told.length - toldBefore !== expected) throw new Error(`told ${told.length - toldBefore} changes`);
    if (told.length > 0 && told.at(-1) !== breaker.state) throw new Error('told another state');
    const { ejectMs, maxEjectMs } = model.policy;
    const mostMs = Math.min(maxEjectMs, ejectMs * model.openings);
    if (model.state === 'open' && breaker.retryInMs > mostMs)
      throw new Error(`waits ${breaker.retryInMs} ms`);
  }

  toString(): string {
    return this.#step.name;
  }
}

const step = (name: string, run: Step['run']): StepCommand => new StepCommand({ name, run });

const outcome = (failed: boolean): StepCommand =>
  step(failed ? 'failure' : 'success', (model, { breaker, clock }) => {
    breaker.record(failed ? 'failure' : 'success');
    if (model.state === 'open') return;
    if (model.state === 'half_open') return failed ? opens(model) : closes(model);
    model.outcomes.push({ failed, startMs: sliceOf(model, clock.now()) });
    if (failed && isDue(model, clock.now()) && model.mayOpen) opens(model);
  });

const commands = [
  // Often, so that a row and a share are both reached.
  ...[1, 2, 3, 4, 5, 6].map(() => fc.boolean().map(outcome)),
  fc.constant(outcome(true)),
  // Round numbers: the edges of windows and of their tenths.
  fc
    .constantFrom(100, 500, 1000, 2500, 5000)
    .map((ms) => step(`wait ${ms}`, (_model, { clock }) => clock.advance(ms))),
  fc.constant(
    step('dead', (model, { breaker }) => {
      breaker.trip('dead');
      if (model.state !== 'open') opens(model);
    }),
  ),
  fc.constant(
    step('unresponsive', (model, { breaker }) => {
      breaker.trip('unresponsive');
      if (model.state === 'half_open' || (model.state === 'closed' && model.mayOpen)) opens(model);
    }),
  ),
  fc.constant(
    step('try again', (model, { breaker }) => {
      breaker.tryAgain();
      if (model.state === 'open') model.state = 'half_open';
    }),
  ),
  fc.constant(
    step('reset', (model, { breaker }) => {
      breaker.reset();
      closes(model);
    }),
  ),
  fc
    .boolean()
    .map((mayOpen) => step(`may open: ${mayOpen}`, (model) => void Object.assign(model, { mayOpen }))),
  fc
    .record({
      consecutiveFailures: fc.integer({ min: 2, max: 12 }),
      failurePercent: fc.constantFrom(25, 50, 75, 100),
      minCalls: fc.integer({ min: 2, max: 8 }),
    })
    .map((next) => step(`policy ${JSON.stringify(next)}`, (model) => void Object.assign(model.policy, next))),
];

test('whatever happens in whatever order, a breaker does what the plain model says, and tells each change once', (t) => {
  const property = fc.property(fc.commands(commands, { maxCommands: 100 }), (script) => {
    const policy = {
      consecutiveFailures: 4,
      failurePercent: 50,
      minCalls: 6,
      windowMs: 5000,
      ejectMs: 1000,
      maxEjectMs: 5000,
    };
    const model: Model = { state: 'closed', outcomes: [], openings: 0, mayOpen: true, policy };
    const clock = new FakeClock();
    const breaker = new Breaker({
      policy: () => model.policy,
      clock,
      random: () => 0.5,
      mayOpen: () => model.mayOpen,
    });
    const told: BreakerState[] = [];
    breaker.watch((state) => told.push(state));
    fc.modelRun(() => ({ model, real: { breaker, clock, told } }), script);
  });
  const report = fc.check(property, { numRuns: 2000 });
  t.false(report.failed, fc.defaultReportMessage(report));
});

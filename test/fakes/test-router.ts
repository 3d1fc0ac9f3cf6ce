import { type Clock, systemClock } from '../../orchestrator/kernel/index.ts';
import { Router } from '../../orchestrator/routing/index.ts';
import type { FakePools } from './fake-pools.ts';

/** The router over fake pools, with their facts. Chance is always one half unless the test says otherwise. */
export function testRouter(
  pools: FakePools,
  { clock = systemClock, random = () => 0.5 }: { clock?: Clock; random?: () => number } = {},
): Router {
  return new Router({ pools, clock, facts: pools.facts, random });
}

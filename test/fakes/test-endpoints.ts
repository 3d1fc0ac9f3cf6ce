import type { Clock, Offers, ServerSet } from '../../orchestrator/kernel/index.ts';
import type { Router } from '../../orchestrator/routing/index.ts';
import { Aggregates, type Catalogue, Endpoints } from '../../orchestrator/session/index.ts';
import type { FakePools } from './fake-pools.ts';

/** What a test says is known of servers. */
export class FakeCatalogue implements Catalogue {
  readonly known = new Map<string, Offers>();
  readonly learnt = new Map<string, Offers>();
  readonly states = new Map<string, ReturnType<Catalogue['state']>>();
  readonly #names: () => readonly string[];

  constructor(names: () => readonly string[]) {
    this.#names = names;
  }

  names(): readonly string[] {
    return this.#names();
  }

  state(server: string): ReturnType<Catalogue['state']> {
    return this.states.get(server) ?? { state: 'ready', reason: null };
  }

  offers(server: string): Offers | null {
    return this.known.get(server) ?? null;
  }

  learned(server: string, audience: string): Offers | null {
    return this.learnt.get(`${server} ${audience}`) ?? null;
  }

  learn(server: string, audience: string, offers: Offers): void {
    this.learnt.set(`${server} ${audience}`, offers);
  }
}

/** The sets of servers over fake pools. */
export function testAggregates(
  router: Router,
  pools: FakePools,
  { catalogue, sets = [] }: { catalogue?: Catalogue; sets?: readonly ServerSet[] } = {},
): Aggregates {
  return new Aggregates({
    router,
    facts: pools.facts,
    catalogue: catalogue ?? new FakeCatalogue(() => [...pools.specs.keys()]),
    sets: () => sets,
  });
}

/** What sessions are opened on, over fake pools. */
export function testEndpoints(router: Router, pools: FakePools, clock: Clock): Endpoints {
  return new Endpoints({ router, clock, aggregates: testAggregates(router, pools) });
}

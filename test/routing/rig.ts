import type { Fact, ServerSpec } from '../../orchestrator/kernel/index.ts';
import type { FakeChannel, SentMessage } from '../fakes/fake-channel.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakePools, type PlayedReplica, TEST_SPEC } from '../fakes/fake-pools.ts';
import { testRouter } from '../fakes/test-router.ts';

export type RoutingSpec = Partial<Omit<ServerSpec, 'balance' | 'retries'>> & {
  readonly balance?: Partial<ServerSpec['balance']>;
  readonly retries?: Partial<ServerSpec['retries']>;
};

/** What a played process does with a request: answers, dies, or nothing, as the test says. */
export type Play = (message: SentMessage, channel: FakeChannel, replica: PlayedReplica['replica']) => void;

/** The router over a shared pool whose processes answer when the test lets them. */
export async function routingRig(replicas: number, over: RoutingSpec = {}, play?: Play) {
  const clock = new FakeClock();
  const specOf = ({ balance, retries, ...rest }: RoutingSpec): ServerSpec => ({
    ...TEST_SPEC,
    sharing: 'shared',
    ...rest,
    balance: { ...TEST_SPEC.balance, ...balance },
    retries: { ...TEST_SPEC.retries, ...retries },
  });
  const pools = new FakePools(specOf(over));
  pools.clock = clock;
  const stated: Fact[] = [];
  pools.facts.listen((fact) => stated.push(fact));
  const router = testRouter(pools, { clock });

  const join = async (id: string): Promise<PlayedReplica> => {
    const played = pools.make('echo', id, 'pool');
    await played.replica.greet(1000);
    pools.pool.push(played.replica);
    if (play !== undefined) {
      played.channel.onSent = (message) => play(message, played.channel, played.replica);
    }
    return played;
  };
  for (let number = 1; number <= replicas; number++) await join(`echo-${number}`);

  return {
    clock,
    pools,
    stated,
    router,
    join,
    /** The configuration as somebody has just changed it. */
    configure: (changed: RoutingSpec): void => void pools.specs.set('echo', specOf(changed)),
    call: (method: string, params?: Record<string, unknown>, principal = 'alice') =>
      router.call('echo', principal, { method, params }),
    /** The replicas picked so far, in order. */
    picked: (): string[] =>
      stated.flatMap((fact) => (fact.type === 'replica.picked' ? [fact.replica.replace('echo-', '')] : [])),
    facts: (type: Fact['type']): Fact[] => stated.filter((fact) => fact.type === type),
  };
}

export function dies(replica: PlayedReplica['replica']): void {
  replica.fail({ code: 'signal', message: 'It was killed.', exitCode: 137, stderr: [] });
}

export function answers({ id }: SentMessage, channel: FakeChannel, result: object = {}): void {
  channel.print({ id, result });
}

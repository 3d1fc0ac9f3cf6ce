import { GantryError } from '../../kernel/index.ts';
import type { EncodeError } from '../calls.ts';
import type { Caller, Leases } from './leases.ts';
import type { ModernRequest } from './request.ts';
import { readFilter, Subscription, type Subscriptions } from './subscriptions.ts';
import type { WatchedResources } from './watched-resources.ts';

/** One client needs one or two. */
const MAX_PER_PRINCIPAL = 64;

export type ListenOptions = {
  readonly subscriptions: Subscriptions;
  readonly leases: Leases;
  readonly watched: WatchedResources;
  readonly encodeError: EncodeError;
};

/**
 * `subscriptions/listen` for a legacy server: the acknowledgement goes out first, then what the principal's
 * processes say of their lists. Resources are subscribed to in the process that serves the calls of such a client, so
 * that it hears what its calls change; the acknowledgement waits for the server's word. Under sharing `shared` resources cannot be subscribed to, and the acknowledgement leaves them out.
 * @throws GantryError queue_full
 */
export function listenToLegacy(
  caller: Caller,
  { id, params }: ModernRequest,
  options: ListenOptions,
): Subscription {
  const { spec, principal, signal } = caller;
  const { subscriptions, encodeError } = options;
  if (subscriptions.count(spec.name, principal) >= MAX_PER_PRINCIPAL) {
    throw new GantryError('queue_full', `Only ${MAX_PER_PRINCIPAL} subscriptions may be open at once.`, {
      detail: { server: spec.name, retryAfterMs: 1000 },
    });
  }
  const { resourceSubscriptions, ...lists } = readFilter(params.notifications);
  const uris = spec.sharing === 'shared' ? [] : (resourceSubscriptions ?? []);
  const filter = uris.length === 0 ? lists : { ...lists, resourceSubscriptions: uris };
  const subscription = new Subscription({ server: spec.name, principal, id, filter });
  const remove = subscriptions.add(subscription);
  signal.addEventListener('abort', remove, { once: true });
  void watch(caller, subscription, uris, options).catch((error) => {
    remove();
    subscription.fail(encodeError(id, error));
  });
  return subscription;
}

/** @throws when the process that watches cannot be had, refuses, or is over before the client leaves */
async function watch(
  caller: Caller,
  subscription: Subscription,
  uris: readonly string[],
  { leases, watched }: ListenOptions,
): Promise<void> {
  const { spec, signal } = caller;
  if (uris.length === 0) {
    subscription.acknowledge();
    // Somebody has to run for there to be changes, and to be listened to.
    const { release } = await leases.lease(caller, 'together');
    return release();
  }
  const { replica, release } = await leases.lease(caller, 'listen');
  const left = new Promise<'left'>((resolve) => {
    if (signal.aborted) resolve('left');
    signal.addEventListener('abort', () => resolve('left'), { once: true });
  });
  const leaves: (() => void)[] = [];
  try {
    subscription.source = replica;
    for (const uri of uris) leaves.push(await watched.watch(replica, uri, spec.timeouts));
    subscription.acknowledge();
    if ((await Promise.race([left, replica.over])) === 'left') return;
    const message = `The process that watched resources of ${spec.name} has ended. Subscribe again, and read them anew.`;
    throw new GantryError('replica_failed', message, { detail: { server: spec.name } });
  } finally {
    for (const leave of leaves) leave();
    release();
  }
}

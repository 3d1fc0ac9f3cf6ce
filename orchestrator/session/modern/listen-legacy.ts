import { GantryError } from '../../kernel/index.ts';
import type { EncodeError } from '../session.ts';
import type { Caller, Leases } from './leases.ts';
import type { ModernRequest } from './request.ts';
import { readFilter, Subscription, type Subscriptions } from './subscriptions.ts';

/** One client needs one or two; each may cost a replica. */
const MAX_PER_PRINCIPAL = 64;

export type ListenOptions = {
  readonly subscriptions: Subscriptions;
  readonly leases: Leases;
  readonly encodeError: EncodeError;
};

/**
 * `subscriptions/listen` for a legacy server: the acknowledgement goes out first, then what the principal's
 * processes say of their lists. Resources are subscribed to in a process of the listener's own, which ends with it.
 * Under sharing `shared` resources cannot be subscribed to, and the acknowledgement leaves them out.
 * @throws GantryError queue_full
 */
export function listenToLegacy(
  caller: Caller,
  { id, params }: ModernRequest,
  { subscriptions, leases, encodeError }: ListenOptions,
): Subscription {
  const { spec, principal, signal } = caller;
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
  void watch(caller, subscription, uris, leases).catch((error) => {
    remove();
    subscription.fail(encodeError(id, error));
  });
  return subscription;
}

/** @throws when the process that watches cannot be had, or is over before the client leaves */
async function watch(
  caller: Caller,
  subscription: Subscription,
  uris: readonly string[],
  leases: Leases,
): Promise<void> {
  const { spec, signal } = caller;
  if (uris.length === 0) {
    // Somebody has to run for there to be changes, and to be listened to.
    const { release } = await leases.lease(caller, false);
    return release();
  }
  const { replica, end } = await leases.openOwn(caller, (message) => {
    // Lists are told to everybody, this subscription too.
    if (message.method === 'notifications/resources/updated') subscription.tell(message);
  });
  const left = new Promise<'left'>((resolve) => {
    if (signal.aborted) resolve('left');
    signal.addEventListener('abort', () => resolve('left'), { once: true });
  });
  try {
    for (const uri of uris) {
      const outcome = await replica.call('resources/subscribe', { uri }, { ...spec.timeouts, signal });
      if (!outcome.ok) throw refused(spec.name, uri, outcome.error);
    }
    if ((await Promise.race([left, replica.over])) === 'left') return;
    throw new GantryError('replica_failed', `The process that watched resources of ${spec.name} has ended.`);
  } finally {
    end?.('its subscription ended');
  }
}

function refused(server: string, uri: string, error: { code: number; message: string }): GantryError {
  const message = `Server ${server} refused the subscription to ${uri}: ${error.message}`;
  return new GantryError('mcp_error', message, { detail: { uri, rpc: error.code } });
}

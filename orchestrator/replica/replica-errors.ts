import type { Channel } from '../channel/index.ts';
import { type Clock, GantryError, type Reason } from '../kernel/index.ts';
import type { ReplicaState, ReplicaStateName } from './replica-state.ts';

type Identity = { readonly server: string; readonly id: string };

/** Whether a call did not get through to a server elsewhere, though its channel goes on. */
export function isUnreachable(error: unknown): boolean {
  return (
    error instanceof GantryError && error.code === 'replica_failed' && error.detail.reason === 'unreachable'
  );
}

/** The answer to a call that came when the replica takes none. */
export function notServing({ server, id }: Identity, state: ReplicaStateName): GantryError {
  return new GantryError('no_replica', `Replica ${id} of server ${server} is ${state}.`, {
    detail: { server, replica: id, state },
  });
}

/** What a call ends with when its process is over: why, as far as that is known, and that the call may have run. */
function deadCallError(
  { server, id }: Identity,
  reason: Reason | null,
  stderr: readonly string[],
): GantryError {
  return new GantryError(
    'replica_failed',
    `Server ${server} stopped while it worked on this call (${reason?.message ?? 'its process ended'}). The call may have run.`,
    {
      detail: {
        server,
        replica: id,
        reason: reason?.code ?? 'exited',
        exitCode: reason?.exitCode ?? null,
        stderr,
        mayHaveRun: true,
      },
    },
  );
}

/** How long calls wait for the reason of a death: asking the engine takes milliseconds, callers should not wait for seconds. */
const DIAGNOSIS_MS = 2000;

/** The same, as soon as it is known why (`diagnosed`), or has taken too long to find out. */
export async function diagnosedError(
  replica: { readonly identity: Identity; readonly state: ReplicaState; readonly channel: Channel },
  diagnosed: Promise<void>,
  clock: Clock,
): Promise<GantryError> {
  const { promise: tooLong, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(DIAGNOSIS_MS, resolve);
  await Promise.race([diagnosed, tooLong]);
  cancel();
  const { identity, state, channel } = replica;
  const reason = state.name === 'failed' ? state.reason : null;
  const stderr = channel.stderr.last(5).map((entry) => entry.line);
  return deadCallError(identity, reason, stderr);
}

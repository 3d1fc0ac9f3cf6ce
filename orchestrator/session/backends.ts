import { type Clock, GantryError, type ServerSpec, shortId } from '../kernel/index.ts';
import type { Router } from '../routing/index.ts';
import type { Backend } from './backend.ts';
import { handshakeOf, OverModern } from './over-modern/over-modern.ts';
import { ownProcess } from './own-process.ts';
import { sharedProcess } from './shared-process.ts';
import { gated } from './tool-gate.ts';

/**
 * What stands behind a new session: by the server's sharing a process of its own or a share of others, by its era as
 * it is or translated.
 * @param hello the parameters of the client's initialize
 * @throws GantryError no_replica, replica_failed
 */
export async function backendFor(
  router: Router,
  clock: Clock,
  spec: ServerSpec,
  principal: string,
  hello: Readonly<Record<string, unknown>>,
): Promise<Backend> {
  return gated(await ungated(router, clock, spec, principal, hello), () => router.spec(spec.name));
}

async function ungated(
  router: Router,
  clock: Clock,
  spec: ServerSpec,
  principal: string,
  hello: Readonly<Record<string, unknown>>,
): Promise<Backend> {
  if (spec.sharing === 'session') {
    const isLegacy = await router.speaksLegacy(spec.name);
    return isLegacy
      ? ownProcess(router, spec, principal, hello)
      : ownModernProcess(router, clock, spec, principal);
  }
  const handshake = await router.handshake(spec.name, principal);
  if (handshake.era === 'legacy') return sharedProcess(router, spec, principal, handshake);
  const session = shortId();
  return new OverModern({
    spec,
    clock,
    discover: async () => handshake,
    lease: (signal) => router.lease(spec.name, principal, { session, signal }),
    own: null,
    close: () => {},
  });
}

async function ownModernProcess(
  router: Router,
  clock: Clock,
  spec: ServerSpec,
  principal: string,
): Promise<Backend> {
  const own = await router.openForSession(spec.name, principal);
  return new OverModern({
    spec,
    clock,
    async discover(signal) {
      const outcome = await own.discover(spec.timeouts.readyMs, signal);
      if (outcome.ok) return handshakeOf(own);
      const message = `Server ${spec.name} refused server/discover: ${outcome.error.message}`;
      throw new GantryError('replica_failed', message, { detail: { server: spec.name, mayHaveRun: false } });
    },
    lease: async () => ({ replica: own, done: () => {} }),
    own,
    close: (why) => void router.release(own, why),
  });
}

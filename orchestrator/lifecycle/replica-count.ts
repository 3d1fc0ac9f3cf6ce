import { GantryError, type ServerSpec } from '../kernel/index.ts';

/** As in the configuration: a typing error should not start a thousand containers. */
const MAX_REPLICAS = 100;

/** @throws GantryError invalid_request for what is no number of standing replicas, or none that the server can have */
export function checkReplicas({ name, source }: ServerSpec, replicas: number): void {
  if (source.kind === 'url') {
    const message = `Server ${name} is elsewhere and has one replica for each of its URLs: it cannot be scaled here.`;
    throw new GantryError('invalid_request', message, { detail: { server: name, replicas } });
  }
  if (Number.isInteger(replicas) && replicas >= 0 && replicas <= MAX_REPLICAS) return;
  throw new GantryError('invalid_request', `replicas must be a whole number from 0 to ${MAX_REPLICAS}.`, {
    detail: { replicas },
  });
}

import { GantryError } from '../kernel/index.ts';

/** As in the configuration: a typing error should not start a thousand containers. */
const MAX_REPLICAS = 100;

/** @throws GantryError invalid_request for what is no number of standing replicas */
export function checkReplicas(replicas: number): void {
  if (Number.isInteger(replicas) && replicas >= 0 && replicas <= MAX_REPLICAS) return;
  throw new GantryError('invalid_request', `replicas must be a whole number from 0 to ${MAX_REPLICAS}.`, {
    detail: { replicas },
  });
}

import type { Breaker } from '../resilience/index.ts';
import type { Running } from './running.ts';

/** A replica that nobody has yet, and the breaker that its calls count for until it comes to a place with one. */
export type Spare = { readonly running: Running; readonly breaker: Breaker };

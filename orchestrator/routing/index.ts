export type { CallOptions, Handshake, Replica, ServerMessage } from '../replica/index.ts';
export { listTools } from '../replica/index.ts';
export { type Candidate, LeastInFlight } from './balancer.ts';
export type { Pools } from './pools.ts';
export { type Lease, Router } from './router.ts';

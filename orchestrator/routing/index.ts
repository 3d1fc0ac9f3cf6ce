export type { CallOptions, Handshake, Replica, ServerMessage } from '../replica/index.ts';
export { listTools, type ToolSource } from '../replica/index.ts';
export type { Lease } from './lease.ts';
export type { Pools } from './pools.ts';
export { type LeaseOptions, type RoutedCallOptions, Router } from './router.ts';

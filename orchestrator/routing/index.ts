export type {
  CallOptions,
  Handshake,
  Replica,
  ResumedCall,
  SentCall,
  ServerMessage,
} from '../replica/index.ts';
export { GREETING, type ListSource, listOffers, listTools } from '../replica/index.ts';
export type { Lease } from './lease.ts';
export type { Asleep, Pools } from './pools.ts';
export { Router } from './router.ts';
export type { LeaseOptions, RoutedCallOptions } from './router-options.ts';

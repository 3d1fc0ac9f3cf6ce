import type { IncomingMessage } from 'node:http';
import type { Caller } from '../control.ts';
import type { HttpOptions } from '../options.ts';
import { callerOf, NOBODY } from './auth.ts';
import { hostGuard } from './host.ts';
import { originGuard } from './origin.ts';

/** Probes have no token. */
const PUBLIC_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** Whether a request may come in at all, and who it is from. What the caller may do is asked by each route. */
export type Admit = (request: IncomingMessage, path: string) => Caller;

/**
 * The guards of every request, whichever way it takes inside: the cheapest refusals first, and those that protect a
 * user's browser before any secret is looked at.
 * @returns a check that throws GantryError host_forbidden, origin_forbidden, unauthorized
 */
export function admission(options: Pick<HttpOptions, 'allowedHosts' | 'allowedOrigins' | 'auth'>): Admit {
  const guardHost = hostGuard(options.allowedHosts);
  const guardOrigin = originGuard(options.allowedOrigins);
  return ({ headers }, path) => {
    guardHost(headers.host);
    guardOrigin(headers.origin);
    return PUBLIC_PATHS.has(path) ? NOBODY : callerOf(headers.authorization, options.auth);
  };
}

import { sorted } from '../kernel/index.ts';

/** Carries tracing and the like, which settle nothing. */
const IGNORED = '_meta';
const SETTLED = ['protocolVersion', 'capabilities', 'clientInfo'];

/**
 * What the parameters of an initialize settle, as a key: a process that was greeted with equal ones in advance can be
 * given to whoever says them. The name of the client counts too: servers may behave by it, and it is nobody else's
 * business.
 * @returns null where they say more than is known here; then only a handshake of their own will do.
 */
export function helloKey(params: Readonly<Record<string, unknown>>): string | null {
  const known = [...SETTLED, IGNORED];
  if (Object.keys(params).some((key) => !known.includes(key))) return null;
  return JSON.stringify(SETTLED.map((key) => sorted(params[key]) ?? null));
}

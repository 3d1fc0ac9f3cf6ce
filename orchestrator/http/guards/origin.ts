import { GantryError } from '../../kernel/index.ts';
import { isLoopback } from './loopback.ts';

/**
 * Refuses requests that a web page of another origin makes. Tools send no `Origin` and pass; `null` (a sandboxed
 * frame, a file) could be anybody and does not. The MCP transports require 403 here.
 * @returns a check of the header that throws GantryError origin_forbidden
 */
export function originGuard(allowedOrigins: readonly string[]): (origin: string | undefined) => void {
  const allowed = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));
  return (header) => {
    if (header === undefined) return;
    const origin = header.toLowerCase();
    const authority = /^https?:\/\/(.+)$/.exec(origin)?.[1];
    if (allowed.has(origin) || (authority !== undefined && isLoopback(authority))) return;
    throw new GantryError('origin_forbidden', 'This Origin may not call; list it under http.allowedOrigins.');
  };
}

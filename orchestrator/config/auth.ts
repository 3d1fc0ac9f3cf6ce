import { createHash, timingSafeEqual } from 'node:crypto';

/** `call` reads and calls tools; `admin` changes servers and containers. Neither includes the other. */
export type Scope = 'call' | 'admin';

/** A configured token: only its hash is kept. */
export type TokenEntry = {
  readonly principal: string;
  /** SHA-256 of the token, 64 lower-case hex digits. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
};

/**
 * Who a bearer token belongs to, or null. Hashes are compared in constant time and all of them are compared
 * every time, so that the answer's timing tells neither a prefix nor a position.
 */
export function callerOf(
  token: string,
  entries: readonly TokenEntry[],
): { readonly principal: string; readonly scopes: readonly Scope[] } | null {
  const digest = createHash('sha256').update(token, 'utf8').digest();
  let found: TokenEntry | null = null;
  for (const entry of entries) {
    const expected = Buffer.from(entry.sha256, 'hex');
    if (expected.length === digest.length && timingSafeEqual(expected, digest)) found ??= entry;
  }
  return found === null ? null : { principal: found.principal, scopes: found.scopes };
}

/** What to put into `auth.tokens[].sha256` for a token. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

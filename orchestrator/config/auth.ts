import { hash, timingSafeEqual } from 'node:crypto';

/** `call` reads and calls tools; `admin` changes servers and containers. Neither includes the other. */
export type Scope = 'call' | 'admin';

/** A configured token: only its hash is kept. */
export type TokenEntry = {
  readonly principal: string;
  /** SHA-256 of the token, 64 lower-case hex digits. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
};

/** Who a token may belong to. */
export type TokenOwner = { readonly principal: string; readonly scopes: readonly Scope[] };

/**
 * Who a bearer token belongs to, or null. The token is hashed once and compared as a hash, in constant time and with all
 * of them every time, so that the answer's timing tells neither a prefix nor a position.
 */
export function tokenOwners(entries: readonly TokenEntry[]): (token: string) => TokenOwner | null {
  const owners = entries.map(({ sha256, principal, scopes }) => ({
    expected: Buffer.from(sha256, 'hex'),
    owner: { principal, scopes },
  }));
  return (token) => {
    const digest = hash('sha256', token, 'buffer');
    let found: TokenOwner | null = null;
    for (const { expected, owner } of owners) {
      if (expected.length === digest.length && timingSafeEqual(expected, digest)) found ??= owner;
    }
    return found;
  };
}

/** What to put into `auth.tokens[].sha256` for a token. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'hex');
}

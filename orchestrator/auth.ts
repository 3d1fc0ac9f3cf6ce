import { type Settings, type TokenEntry, tokenHash, tokenOwners } from './config/index.ts';
import type { Auth } from './http/index.ts';
import { ANONYMOUS } from './kernel/index.ts';

/** Who a token belongs to: the configured ones, and the admin token of this installation. */
export function authOf({ auth }: Settings, adminToken: string): Auth {
  const required = auth.tokens.length > 0;
  // Where nobody has a token of his own, whoever changes things is still the one principal that everybody is.
  const principal = required ? 'admin' : ANONYMOUS;
  const admin: TokenEntry = { principal, sha256: tokenHash(adminToken), scopes: ['call', 'admin'] };
  return { required, callerOf: tokenOwners([admin, ...auth.tokens]) };
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** @throws Error when strangers could reach a mesh that asks nobody for a token */
export function refuseOpenDoor(bindAddress: string, { auth }: Settings): void {
  if (LOOPBACK.test(bindAddress) || auth.tokens.length > 0) return;
  throw new Error(
    `The ports are published on ${bindAddress}, but no auth.tokens are configured: anybody could call your servers. Configure tokens, or publish on 127.0.0.1.`,
  );
}

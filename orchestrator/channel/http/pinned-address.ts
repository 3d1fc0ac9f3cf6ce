import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { GantryError, messageOf } from '../../kernel/index.ts';
import type { AddressRules } from '../../resilience/index.ts';

/** The one address that a connection is made to, whatever the name means a moment later. */
export type PinnedAddress = { readonly address: string; readonly family: number };

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<readonly PinnedAddress[]>;

/** IPv4 first: containers rarely have a way out over IPv6, and only one address is tried. */
const systemResolve: Resolve = (host) => lookup(host, { all: true, order: 'ipv4first' });

/**
 * Resolves the host of a URL once. A name with one address that must not be reached is refused as a whole: which of
 * them is used would be chance.
 * @throws GantryError address_not_allowed
 */
export async function pinAddress(
  url: URL,
  rules: AddressRules,
  resolve: Resolve = systemResolve,
): Promise<PinnedAddress> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = portOf(url);
  const family = isIP(host);
  const found = family === 0 ? await resolved(host, resolve) : [{ address: host, family }];
  for (const { address } of found) {
    const why = rules.refusal(host, address, port);
    if (why === null) continue;
    const what = address === host ? host : `${address}, an address of ${host},`;
    throw refused(`${what} ${why} (port ${port}).`, { host, address, port });
  }
  const [first] = found;
  if (first === undefined) throw refused(`${host} has no address.`, { host, port });
  return first;
}

export function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === 'https:' ? 443 : 80));
}

async function resolved(host: string, resolve: Resolve): Promise<readonly PinnedAddress[]> {
  try {
    return await resolve(host);
  } catch (error) {
    throw refused(`${host} could not be resolved (${messageOf(error)}).`, { host }, error);
  }
}

function refused(message: string, detail: Record<string, unknown>, cause?: unknown): GantryError {
  return new GantryError('address_not_allowed', message, { detail, cause });
}

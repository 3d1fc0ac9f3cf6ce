import { type Era, isObject, MODERN_VERSIONS, VERSION_KEY } from '../kernel/index.ts';

/**
 * The era of a request (MCP 2026-07-28, versioning): modern when its body claims a version, whichever, or when its
 * header names a modern one. An `initialize` that claims nothing is legacy, whatever the header says.
 * A request that is modern must be answered in the modern style even where it is wrong: clients take anything
 * else for the word of a server that knows only sessions.
 * @param versionHeader `MCP-Protocol-Version`, @param body the parsed body, or null for GET and DELETE.
 */
export function eraOf(versionHeader: string | null, body: unknown): Era {
  if (claimsVersion(body)) return 'modern';
  if (isObject(body) && body.method === 'initialize') return 'legacy';
  // A batch belongs to one of the older revisions.
  if (Array.isArray(body)) return 'legacy';
  return isModernVersion(versionHeader) ? 'modern' : 'legacy';
}

export function isModernVersion(version: unknown): boolean {
  return (MODERN_VERSIONS as readonly unknown[]).includes(version);
}

function claimsVersion(body: unknown): boolean {
  if (!isObject(body) || !isObject(body.params)) return false;
  const meta = body.params._meta;
  return isObject(meta) && Object.hasOwn(meta, VERSION_KEY);
}

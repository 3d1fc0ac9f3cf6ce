import { hasPlaceholder, PLACEHOLDER } from './host-paths.ts';
import { unknownKey } from './issues.ts';
import type { Finding } from './problem.ts';
import { isObject, type RawObject } from './raw.ts';

const KNOWN = ['type', 'url', 'headers'];

/**
 * A server elsewhere as clients write it (`type`, `url`, `headers`) in Gantry's own form. It is reached over Streamable HTTP, so
 * anything else is a problem.
 */
export function convertRemote(raw: RawObject): {
  readonly entry: RawObject | null;
  readonly findings: readonly Finding[];
} {
  const { type = 'http', url, headers = {} } = raw;
  const findings: Finding[] = Object.keys(raw)
    .filter((key) => !KNOWN.includes(key))
    .map((key) => ({ path: [key], message: unknownKey(key, KNOWN), at: 'key' }));
  if (type !== 'http' && type !== 'streamable-http') {
    const message = 'must be http or streamable-http for a server elsewhere: nothing else is spoken to it';
    findings.push({ path: ['type'], message });
  }
  if (typeof url !== 'string')
    findings.push({ path: ['url'], message: url === undefined ? 'is required' : 'must be a string' });
  else if (hasPlaceholder(url)) findings.push({ path: ['url'], message: PLACEHOLDER });
  if (!isObject(headers)) findings.push({ path: ['headers'], message: 'must be a map of keys and values' });
  for (const [name, value] of Object.entries(isObject(headers) ? headers : {})) {
    if (typeof value !== 'string' || !hasPlaceholder(value)) continue;
    findings.push({ path: ['headers', name], message: PLACEHOLDER });
  }
  if (findings.length > 0) return { entry: null, findings };
  const hasHeaders = Object.keys(headers as RawObject).length > 0;
  return { entry: { url, ...(hasHeaders ? { headers } : {}) }, findings: [] };
}

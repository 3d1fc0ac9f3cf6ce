import { hasPlaceholder, PLACEHOLDER } from './host-paths.ts';
import { unknownKey } from './issues.ts';
import type { Finding } from './problem.ts';
import type { RawObject } from './raw.ts';

const KNOWN = ['type', 'url', 'headers'];

/**
 * A server elsewhere as clients write it (`type`, `url`) in Gantry's own form. It is reached over Streamable HTTP and without
 * headers, so anything else would be lost and is a problem.
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
  if (typeof headers !== 'object' || headers === null || Object.keys(headers).length > 0) {
    findings.push({ path: ['headers'], message: 'are not sent to a server elsewhere', at: 'key' });
  }
  return findings.length > 0 ? { entry: null, findings } : { entry: { url }, findings: [] };
}

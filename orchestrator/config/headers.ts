import * as z from 'zod';
import type { Finding } from './problem.ts';
import { isObject, type RawObject } from './raw.ts';
import { SecretValue } from './value-refs.ts';

/** More than usual servers take for all headers of a request. */
const LONGEST_VALUE = 8 * 1024;
const MOST_HEADERS = 50;

/** Of the connection rather than the message (RFC 9110, 7.6.1), and what describes the message, which is ours. */
const OWN = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'expect', 'host'],
  ...['content-length', 'content-type', 'content-encoding', 'accept', 'accept-encoding', 'last-event-id'],
]);

/** `headers`: what every request to a server elsewhere carries. */
export const Headers = z
  .record(z.string(), SecretValue)
  .refine((headers) => Object.keys(headers).length <= MOST_HEADERS, {
    error: `has over ${MOST_HEADERS} headers`,
  });

/**
 * What is wrong with names, and with values wherever they stand. No message repeats a value.
 * @param values those that stand in files
 */
export function headerFindings({ headers }: RawObject, values: ReadonlyMap<string, string>): Finding[] {
  if (!isObject(headers)) return [];
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const [name, written] of Object.entries(headers)) {
    const wrong = nameProblem(name, seen);
    if (wrong !== null) findings.push({ path: ['headers', name], message: wrong, at: 'key' });
    const value = typeof written === 'string' ? written : values.get(name);
    const message = value === undefined ? null : valueProblem(value);
    if (message === null) continue;
    findings.push({ path: ['headers', name, ...(typeof written === 'string' ? [] : ['file'])], message });
  }
  return findings;
}

function nameProblem(name: string, seen: Set<string>): string | null {
  const lower = name.toLowerCase();
  if (seen.has(lower)) return 'is there twice: capitals make no difference in names of headers';
  seen.add(lower);
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,256}$/.test(lower)) return 'is no name of a header';
  if (!OWN.has(lower) && !lower.startsWith('mcp-')) return null;
  return 'belongs to the connection or to MCP, so Gantry sets it itself';
}

function valueProblem(value: string): string | null {
  if (value.length > LONGEST_VALUE) return 'is over 8 KiB, which no server takes as a header';
  if (/^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/.test(value)) return null;
  return 'must be one line of ASCII characters without a space at its beginning or end, as headers are';
}

/** Under the names that they are sent by. */
export function lowerNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

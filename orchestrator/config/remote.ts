import * as z from 'zod';
import { addressRuleProblem } from '../resilience/index.ts';
import type { Finding } from './problem.ts';
import type { RawObject } from './raw.ts';

/** As many as a server may have replicas. */
const MOST_URLS = 100;

const OneUrl = z.string().superRefine((value, context) => {
  const message = urlProblem(value);
  if (message !== null) context.addIssue({ code: 'custom', message });
});

/** `url`: where a server is that is not run here, or several that are one pool. */
export const Url = z.union([OneUrl.meta({ format: 'uri' }), z.array(OneUrl).min(1).max(MOST_URLS)], {
  error: 'must be an address such as http://10.1.2.3:8080/mcp, or a list of such addresses without one twice',
});

/** Everything but the servers that concerns servers elsewhere. */
export const RegistrySettings = z.strictObject({
  allowedAddresses: z
    .array(
      z.string().superRefine((value, context) => {
        const message = addressRuleProblem(value);
        if (message !== null) context.addIssue({ code: 'custom', message });
      }),
    )
    .max(1000)
    .default([])
    .describe(
      'Where servers that are not run here (url) may be: networks, addresses and host names, each with or without a port, such as 10.1.0.0/16, 10.1.2.3:8080 or mcp.example.com. None: nowhere.',
    ),
});

/** Keys that say how a process is run, which happens elsewhere. */
const FOR_PROCESSES = [
  'bin',
  'command',
  'args',
  'env',
  'replicas',
  'idle',
  'resources',
  'network',
  'data',
] as const;

/** What `url` says about the other keys. */
export function remoteFindings(entry: RawObject): Finding[] {
  if (!Object.hasOwn(entry, 'url')) {
    const message = 'are for servers elsewhere (url): one that runs here is given its secrets in env';
    return Object.hasOwn(entry, 'headers') ? [{ path: ['headers'], message, at: 'key' }] : [];
  }
  const findings: Finding[] = FOR_PROCESSES.filter((key) => Object.hasOwn(entry, key)).map((key) => ({
    path: [key],
    message: 'is for servers that run here; one with a url runs elsewhere, with one replica for each url',
    at: 'key',
  }));
  const { url } = entry;
  if (Array.isArray(url) && new Set(url).size < url.length) {
    findings.push({ path: ['url'], message: 'names one address twice' });
  }
  return findings;
}

/** @returns null for an address that a server elsewhere may have, else what is wrong with it */
export function urlProblem(value: string): string | null {
  if (!URL.canParse(value)) return 'must be an address such as http://10.1.2.3:8080/mcp';
  const { protocol, username, password, hash } = new URL(value);
  if (protocol !== 'http:' && protocol !== 'https:') return 'must begin with http:// or https://';
  if (username !== '' || password !== '') return 'must not hold a user or a password';
  return hash === '' ? null : 'must not have a fragment';
}

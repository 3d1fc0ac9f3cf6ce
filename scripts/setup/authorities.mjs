import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const SHIPPED = '/usr/share/ca-certificates';
/** What fits into one build argument with room to spare, in characters. */
const MAX_LENGTH = 100_000;

/**
 * Certificate authorities that this host trusts and that are not public ones, such as a company's own. Images need
 * them where the company looks into TLS connections: npm fails with SELF_SIGNED_CERT_IN_CHAIN without.
 * @returns {Promise<string>} PEM text, empty on most hosts
 */
export async function extraAuthorities() {
  const paths = new Set(
    [SYSTEM_BUNDLE, process.env.NODE_EXTRA_CA_CERTS, process.env.npm_config_cafile].filter(Boolean),
  );
  const trusted = await Promise.all([...paths].map((path) => readFile(path, 'utf8').catch(() => '')));
  return differing(trusted.join('\n'), [...rootCertificates, ...(await shippedCertificates())].join('\n'));
}

/** The certificates of `trusted` that are not among `known`, both PEM text; equal ones once. */
export function differing(trusted, known) {
  const publicOnes = new Set(certificatesIn(known).map(normalise));
  const extra = new Map(certificatesIn(trusted).map((pem) => [normalise(pem), pem]));
  const found = [...extra].filter(([key]) => !publicOnes.has(key)).map(([, pem]) => pem);
  const text = found.join('\n');
  return text.length > MAX_LENGTH
    ? text.slice(0, text.lastIndexOf('-----BEGIN', MAX_LENGTH)).trimEnd()
    : text;
}

const certificatesIn = (text) =>
  text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
const normalise = (pem) => pem.replace(/\s/g, '');

async function shippedCertificates() {
  const names = await readdir(SHIPPED, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith('.crt'));
  return Promise.all(files.map((name) => readFile(join(SHIPPED, name), 'utf8')));
}

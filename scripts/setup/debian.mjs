import { readFile } from 'node:fs/promises';

/** The Debian release that the base image and the compose plugin come from, and the part of it that is used. */
export const SUITE = 'trixie';

/** @returns {Promise<{id: string, like: string, codename: string}>} of the host, empty texts where it does not say */
export async function hostSystem() {
  return parseOsRelease(await readFile('/etc/os-release', 'utf8').catch(() => ''));
}

export function parseOsRelease(text) {
  const value = (key) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { id: value('ID'), like: value('ID_LIKE'), codename: value('VERSION_CODENAME') };
}

/** What apt is asked for, in the form that `mirrorsOf` reads. */
export const INDEX_TARGETS = ['apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)'];

/**
 * Finds the Debian mirrors the host itself uses, so that no address has to be written down anywhere.
 * @param {string} targets output of `INDEX_TARGETS`: a line `URI release component` for each index
 * @param {string} codename the host's own release
 * @returns {{main: string, security: string | null} | null} null where the host has no Debian mirror
 */
export function mirrorsOf(targets, codename) {
  const rows = targets.split('\n').map((line) => line.trim().split(/\s+/));
  const uriOf = (release) =>
    rows.find((row) => row[1] === release && row[2] === 'main')?.[0]?.replace(/\/+$/, '');
  const main = uriOf(codename);
  return main === undefined ? null : { main, security: uriOf(`${codename}-security`) ?? null };
}

/** Lines of a sources.list for `suite` from the same mirrors, without the one for which there is no mirror. */
export function sourceLines({ main, security }, suite = SUITE) {
  return [
    `deb ${main} ${suite} main`,
    `deb ${main} ${suite}-updates main`,
    ...(security === null ? [] : [`deb ${security} ${suite}-security main`]),
  ];
}

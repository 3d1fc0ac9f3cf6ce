import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canInstall, hostMirrors, installDebianPackages } from './apt.mjs';
import { SUITE, sourceLines } from './debian.mjs';
import { SetupError } from './failure.mjs';
import { attempt, hasProgram, run } from './run.mjs';

/** Carried by a base image made here; its value tells what it is equal to. */
const LABEL = 'gantry.base';
/** A registry that has not begun to answer by then is taken for absent. */
const REGISTRY_TIMEOUT_MS = 10_000;
/** Left out of the official slim image as well. */
const LEFT_OUT = ['man', 'doc', 'info', 'locale', 'groff', 'lintian', 'linda'];

/**
 * Gets the image all others are built from: what is here already, else from a registry, else made from Debian packages.
 * @param {string} wanted such as `debian:trixie-slim`
 * @returns {Promise<string>} the name to build from
 * @throws SetupError
 */
export async function ensureBaseImage(wanted, say) {
  if ((await attempt(['docker', 'image', 'inspect', wanted])).code === 0) return wanted;
  const made = await imageMadeHere(wanted);
  if (made !== null) return made;
  say(`asking a registry for ${wanted}`);
  if (await pull(wanted)) return wanted;
  say('no registry answers; making it with mmdebstrap');
  return await bootstrap(wanted);
}

async function imageMadeHere(wanted) {
  const list = [
    'docker',
    'image',
    'ls',
    '--filter',
    `label=${LABEL}=${wanted}`,
    '--format',
    '{{.Repository}}:{{.Tag}}',
  ];
  const { code, stdout } = await attempt(list);
  return (code === 0 && stdout.split('\n').find((name) => name.startsWith('gantry-base:'))) || null;
}

/** Pulls, but gives up when the registry has not begun to answer: the transfer itself may take its time. */
async function pull(wanted) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), REGISTRY_TIMEOUT_MS);
  const onLine = (line) => line.includes('Pulling from') && clearTimeout(timer);
  const { code } = await attempt(['docker', 'pull', wanted], { signal: giveUp.signal, onLine });
  clearTimeout(timer);
  return code === 0;
}

async function bootstrap(wanted) {
  if (!wanted.startsWith(`debian:${SUITE}`)) {
    throw new SetupError(
      `No registry answers, and ${wanted} cannot be made here. Load it into Docker, or set GANTRY_BASE_IMAGE.`,
    );
  }
  if (!(await canInstall())) {
    throw new SetupError(
      `No registry answers, and making ${wanted} takes root on Debian. Load it into Docker, or set GANTRY_BASE_IMAGE.`,
    );
  }
  const mirrors = await hostMirrors();
  if (mirrors === null) {
    throw new SetupError(
      `No registry answers, and no Debian mirror is configured that ${wanted} could be made from.`,
    );
  }
  if (!(await hasProgram('mmdebstrap')))
    await installDebianPackages(['mmdebstrap', 'debian-archive-keyring']);

  const dir = await mkdtemp(join(tmpdir(), 'gantry-base-'));
  try {
    const archive = join(dir, 'base.tar');
    const sources = sourceLines(mirrors);
    // Some mirrors carry the main suite alone: then without the others rather than not at all.
    if ((await attempt(mmdebstrap(archive, sources))).code !== 0) {
      await run('The base image could not be made', mmdebstrap(archive, sources.slice(0, 1)));
    }
    const name = `gantry-base:${SUITE}-${new Date().toISOString().slice(0, 10).replaceAll('-', '')}`;
    const settings = ['--change', `LABEL ${LABEL}=${wanted}`, '--change', 'CMD ["bash"]'];
    await run('The base image could not be imported', ['docker', 'import', ...settings, archive, name]);
    return name;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function mmdebstrap(archive, sources) {
  const leaveOut = LEFT_OUT.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const keep = '--dpkgopt=path-include=/usr/share/doc/*/copyright';
  return [
    'mmdebstrap',
    '--variant=minbase',
    '--include=ca-certificates',
    ...leaveOut,
    keep,
    SUITE,
    archive,
    ...sources,
  ];
}

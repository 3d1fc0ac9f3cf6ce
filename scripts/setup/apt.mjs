import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostSystem, INDEX_TARGETS, mirrorsOf, SUITE } from './debian.mjs';
import { SetupError } from './failure.mjs';
import { attempt, hasProgram, run } from './run.mjs';

const QUIET = { DEBIAN_FRONTEND: 'noninteractive' };

/** Whether packages can be installed here without asking anybody. */
export async function canInstall() {
  return process.getuid?.() === 0 && (await hasProgram('apt-get'));
}

let updated = false;

/** @throws SetupError */
export async function installDebianPackages(names) {
  if (!updated) {
    await run('The lists of packages could not be fetched', ['apt-get', 'update'], { env: QUIET });
    updated = true;
  }
  const command = ['apt-get', 'install', '-y', '--no-install-recommends', ...names];
  await run(`${names.join(', ')} could not be installed`, command, { env: QUIET });
}

/** Version that `apt-get install` would take, or null. */
export async function candidateVersion(name) {
  const { stdout } = await attempt(['apt-cache', 'policy', name]);
  const version = /Candidate: (?:\d+:)?(\S+)/.exec(stdout)?.[1] ?? '(none)';
  return version === '(none)' ? null : version;
}

/** The Debian mirrors the host uses, or null. */
export async function hostMirrors() {
  const { codename } = await hostSystem();
  const { stdout } = await attempt(INDEX_TARGETS);
  return mirrorsOf(stdout, codename);
}

/**
 * Installs packages of a newer Debian that need nothing newer than what is there. apt is given lists and sources of
 * its own for this, so the host's are never touched and nothing else can be upgraded; signatures are checked as ever.
 * @throws SetupError
 */
export async function installFromNewerDebian(names) {
  const mirrors = await hostMirrors();
  if (mirrors === null)
    throw new SetupError(`No Debian mirror is configured that ${names.join(', ')} could come from.`);
  const dir = await mkdtemp(join(tmpdir(), 'gantry-apt-'));
  try {
    for (const part of ['lists/partial', 'cache/archives/partial'])
      await mkdir(join(dir, part), { recursive: true });
    await writeFile(join(dir, 'sources.list'), `deb ${mirrors.main} ${SUITE} main\n`);
    const apt = [
      'apt-get',
      '-o',
      `Dir::Etc::SourceList=${dir}/sources.list`,
      '-o',
      'Dir::Etc::SourceParts=/dev/null',
    ];
    // As root: the user apt downloads as may not write to a private directory.
    apt.push(
      '-o',
      `Dir::State::Lists=${dir}/lists`,
      '-o',
      `Dir::Cache=${dir}/cache`,
      '-o',
      'APT::Sandbox::User=root',
    );
    await run(`The packages of ${SUITE} could not be listed`, [...apt, 'update'], { env: QUIET });
    await run(`${names.join(', ')} could not be fetched`, [...apt, 'download', ...names], {
      cwd: dir,
      env: QUIET,
    });
    await run(`${names.join(', ')} could not be installed`, ['sh', '-c', 'dpkg --install ./*.deb'], {
      cwd: dir,
      env: QUIET,
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

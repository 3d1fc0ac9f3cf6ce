import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { candidateVersion, canInstall, installDebianPackages, installFromNewerDebian } from './apt.mjs';
import { SetupError } from './failure.mjs';
import { attempt, hasProgram, run } from './run.mjs';

const LOG = '/var/log/dockerd.log';
const START_TIMEOUT_MS = 60_000;
/** `include` needs 2.20, replacing a list of ports in an override needs 2.24.4. */
const COMPOSE_AT_LEAST = [2, 24, 4];
const HELP = 'Install Docker Engine with its compose plugin (2.24.4 or newer), start it, and run this again.';

/**
 * Makes sure that a Docker engine answers and that the compose plugin is there; installs and starts what is missing
 * where that can be done.
 * @throws SetupError saying what to install
 */
export async function ensureEngine(say) {
  if ((await serverVersion()) === null) await bringUpEngine(say);
  if (!(await hasPlugins())) {
    say('installing the compose plugin');
    await installPlugins();
  }
  return `Docker ${await serverVersion()}, compose ${await composeVersion()}`;
}

/** Version of the daemon that answers, or null: a client alone does not count. */
async function serverVersion() {
  const { code, stdout } = await attempt(['docker', 'version', '--format', '{{.Server.Version}}'], {
    timeoutMs: 15_000,
  });
  return code === 0 ? stdout.trim() : null;
}

async function bringUpEngine(say) {
  if (process.env.DOCKER_HOST) {
    throw new SetupError(
      `No Docker engine answers at DOCKER_HOST=${process.env.DOCKER_HOST}. Start it, or unset the variable.`,
    );
  }
  if (!(await hasProgram('dockerd')) || !(await hasProgram('docker'))) {
    if (!(await canInstall()))
      throw new SetupError(`No Docker engine answers, and none can be installed from here. ${HELP}`);
    say('installing Docker from Debian’s packages');
    await installDebianPackages(['docker.io', 'iptables', 'ca-certificates']);
    // Newer releases keep the command line in a package of its own.
    if (!(await hasProgram('docker'))) await installDebianPackages(['docker-cli']);
  }
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      'Docker is installed but does not answer. Start it (`sudo systemctl start docker`), make sure that you may use it, and run this again.',
    );
  }
  say('starting Docker');
  await startEngine();
}

async function startEngine() {
  if (existsSync('/run/systemd/system')) {
    await run('Docker could not be started', ['systemctl', 'start', 'docker']);
  } else if (!(await isDaemonAlive())) {
    const log = openSync(LOG, 'a');
    // A session of its own: it has to outlive this script and its terminal.
    spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log] })
      .once('error', () => {})
      .unref();
  }
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if ((await serverVersion()) !== null) return;
    await sleep(300);
  }
  const tail = (await readFile(LOG, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-8).join('\n');
  throw new SetupError(
    `Docker was started but does not answer within ${START_TIMEOUT_MS / 1000} s. The end of its log:\n${tail}`,
  );
}

/** The package may have started it already, through an init script. */
async function isDaemonAlive() {
  const pid = Number(await readFile('/run/docker.pid', 'utf8').catch(() => ''));
  return pid > 0 && (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() === 'dockerd';
}

async function composeVersion() {
  const { code, stdout } = await attempt(['docker', 'compose', 'version', '--short']);
  return code === 0 ? stdout.trim() : null;
}

async function hasPlugins() {
  const { code } = await attempt(['docker', 'buildx', 'version']);
  return code === 0 && isNewEnough(await composeVersion());
}

/** @param {string | null} version such as `2.26.1-4` or `v2.30.0` */
export function isNewEnough(version, atLeast = COMPOSE_AT_LEAST) {
  if (version === null) return false;
  const parts = version.replace(/^v/, '').split(/[.-]/).map(Number);
  const difference = atLeast.map((part, i) => (parts[i] || 0) - part).find((value) => value !== 0);
  return (difference ?? 0) >= 0;
}

/** Ubuntu calls it docker-compose-v2; a Debian whose docker-compose is the old Python program takes the newer package. */
async function installPlugins() {
  if (!(await canInstall())) throw new SetupError(`Docker’s compose plugin is missing or too old. ${HELP}`);
  for (const name of ['docker-compose-v2', 'docker-compose']) {
    if (isNewEnough(await candidateVersion(name))) {
      await installDebianPackages([name, 'docker-buildx']);
      break;
    }
  }
  if (!(await hasPlugins())) await installFromNewerDebian(['docker-compose', 'docker-buildx']);
  if (!(await hasPlugins()))
    throw new SetupError(`Docker’s compose plugin was installed but is not found. ${HELP}`);
}

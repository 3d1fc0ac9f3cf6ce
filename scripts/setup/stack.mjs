import { chmod, mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError } from './failure.mjs';
import { choosePorts, isPortFree, portsOf, portsOverride } from './ports.mjs';
import { attempt, run } from './run.mjs';

const COMPOSE_FILE = 'docker-compose.dind.yml';

/** Where the set-up keeps what it made for a project; ignored by git. */
export function stateDirectory(root, project) {
  return project === 'gantry' ? join(root, '.gantry') : join(root, '.gantry', project);
}

/** One compose project: the running mesh, or that of the tests. */
export class Stack {
  #override = null;

  /** @param {{root: string, project: string, env: Record<string, string>, settings: Record<string, string>}} options */
  constructor({ root, project, env, settings }) {
    this.root = root;
    this.project = project;
    this.env = { ...env, COMPOSE_PROJECT_NAME: project };
    this.settings = settings;
    this.stateDir = stateDirectory(root, project);
    this.url = `http://127.0.0.1:${settings.GANTRY_PORT}`;
  }

  /** The words that start every compose command of this project. */
  compose(...args) {
    const files = ['-f', COMPOSE_FILE, ...(this.#override === null ? [] : ['-f', this.#override])];
    return ['docker', 'compose', '-p', this.project, ...files, ...args];
  }

  get options() {
    return { cwd: this.root, env: this.env };
  }

  build(onLine) {
    // Plain progress: one line for each thing done, for the log and for what is shown of it.
    const command = ['docker', 'compose', '--progress', 'plain', ...this.compose('build').slice(2)];
    return run('The images could not be built', command, { ...this.options, onLine });
  }

  /**
   * Brings the stack up, or what differs from it. Nothing is recreated that is as it should be.
   * @returns {Promise<number[]>} server ports that are taken on this host and stay unpublished
   * @throws SetupError
   */
  async up() {
    const held = await this.#publishedPorts();
    const mainPort = Number(this.settings.GANTRY_PORT);
    if (!held.includes(mainPort) && !(await isPortFree(mainPort))) {
      throw new SetupError(
        `Port ${mainPort} of 127.0.0.1 is taken. Free it, or choose another one: GANTRY_PORT=7401 npm start`,
      );
    }
    const wanted = portsOf(this.settings.GANTRY_SERVER_PORTS);
    const ports = await choosePorts(wanted, held);
    const left = wanted.filter((port) => !ports.includes(port));
    if (left.length > 0) {
      this.#override = join(this.stateDir, 'ports.yml');
      await mkdir(this.stateDir, { recursive: true });
      await writeFile(this.#override, portsOverride(mainPort, ports));
    }
    await run(
      'The stack could not be brought up',
      this.compose('up', '--detach', '--remove-orphans'),
      this.options,
    );
    return left;
  }

  /** A new process, in the same container: it drains the old one first. What is attached comes up anew and its sessions end; sockets outlive it. */
  async restartOrchestrator() {
    const command = this.compose('restart', 'orchestrator');
    await run('The orchestrator could not be restarted', command, this.options);
  }

  /** Host ports of the orchestrator, empty if it does not run. */
  async #publishedPorts() {
    const { code, stdout } = await attempt(
      this.compose('ps', '--format', 'json', 'orchestrator'),
      this.options,
    );
    if (code !== 0) return [];
    return [...stdout.matchAll(/"PublishedPort":(\d+)/g)]
      .map(([, port]) => Number(port))
      .filter((port) => port > 0);
  }

  /** Takes the containers and networks away; volumes only when asked for. */
  async down({ volumes = false } = {}) {
    const args = ['down', '--remove-orphans', ...(volumes ? ['--volumes'] : [])];
    await run('The stack could not be taken down', this.compose(...args), this.options);
  }

  /** The token for changes. It is kept for people in a file that only they can read. */
  async adminToken() {
    const cat = this.compose('exec', '-T', 'orchestrator', 'cat', '/var/lib/gantry/admin-token');
    const options = { ...this.options, isSecret: true };
    const token = (await run('The admin token could not be read', cat, options)).trim();
    const path = join(this.stateDir, 'admin-token');
    await mkdir(this.stateDir, { recursive: true });
    await writeFile(path, `${token}\n`, { mode: 0o600 });
    // The mode above counts only for a file that did not exist.
    await chmod(path, 0o600);
    return token;
  }

  /** Last lines of the logs of a service, for an error. */
  async logs(service, lines = 15) {
    const command = this.compose('logs', '--no-color', '--no-log-prefix', '--tail', String(lines), service);
    return (await attempt(command, this.options)).output.trimEnd();
  }
}

/** Removes what the set-up kept for a project. The default one's directory holds those of the others: these stay. */
export async function forgetState(root, project) {
  const directory = stateDirectory(root, project);
  const names = project === 'gantry' ? ['admin-token', 'ports.yml', 'setup.log'] : [''];
  for (const name of names) await rm(join(directory, name), { recursive: true, force: true });
  // Only goes when nothing is left in it.
  await rmdir(join(root, '.gantry')).catch(() => {});
}

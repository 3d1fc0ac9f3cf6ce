import { join, resolve } from 'node:path';
import { extraAuthorities } from './authorities.mjs';
import { ensureBaseImage } from './base-image.mjs';
import { checkConfig } from './config-check.mjs';
import { ensureEngine } from './engine.mjs';
import { installPackages } from './packages.mjs';
import { logTo, run } from './run.mjs';
import { lowerCpus, lowerMtu, readSettings } from './settings.mjs';
import { Stack, stateDirectory } from './stack.mjs';

/**
 * From a bare host to a stack whose containers run: packages, engine, base image, images, compose. Each step finds out
 * by itself what is there already. Does not wait for servers.
 * @param {object} options
 * @param {string} options.root of the project
 * @param {string} [options.project] compose project; another name is another stack with volumes of its own
 * @param {Record<string, string>} [options.env] over compose/stack.env, such as GANTRY_PORT
 * @param {string} [options.configDir] directory of gantry.yaml
 * @param {string} [options.configFile] name of another file of that directory to read instead
 * @param {ReturnType<typeof import('./progress.mjs').createProgress>} options.progress
 * @param {() => Promise<Record<string, string>>} [options.lateEnv] more of `env`, found out once the engine answers
 * @param {(directory: string) => Promise<unknown>} [options.beforeConfig] runs when packages are there, before the check
 * @returns {Promise<Stack>}
 * @throws SetupError
 */
export async function prepare({
  root,
  project = 'gantry',
  env = {},
  configDir = root,
  configFile = 'gantry.yaml',
  progress,
  beforeConfig,
  lateEnv = async () => ({}),
}) {
  const stateDir = stateDirectory(root, project);
  const directory = resolve(root, configDir);
  logTo(join(stateDir, 'setup.log'));
  await progress.step('Packages', (say) => installPackages(root, say));
  await beforeConfig?.(directory);
  const settings = await readSettings(root, { ...process.env, ...env });
  const environment = env.GANTRY_ENVIRONMENT ?? process.env.GANTRY_ENVIRONMENT ?? '';
  await progress.step('Configuration', () =>
    checkConfig(root, join(directory, configFile), settings.GANTRY_SERVER_PORTS, environment),
  );
  await progress.step('Docker engine', ensureEngine);

  const cpus = Number(
    await run('The engine does not say how many processors it has', [
      'docker',
      'info',
      '--format',
      '{{.NCPU}}',
    ]),
  );
  const base = await progress.step('Base image', (say) => ensureBaseImage(settings.GANTRY_BASE_IMAGE, say));
  const stack = new Stack({
    root,
    project,
    settings,
    env: {
      GANTRY_EXTRA_CA: await extraAuthorities(),
      ...env,
      ...lowerCpus(settings, cpus),
      ...(await lowerMtu(settings)),
      ...(await lateEnv()),
      GANTRY_BASE_IMAGE: base,
      GANTRY_CONFIG_DIR: directory,
      GANTRY_CONFIG_FILE: configFile,
    },
  });
  await progress.step('Images', (say) => stack.build((line) => say(buildStep(line))).then(() => 'built'));
  const taken = await progress.step('Stack', () => stack.up());
  if (taken.length > 0) progress.note(`Taken on this host, so not published: port ${taken.join(', ')}`);
  return stack;
}

/** The part of a line of the builder that says what it is doing. */
function buildStep(line) {
  return line.replace(/^#\d+ (\d+(\.\d+)? )?/, '').slice(0, 70);
}

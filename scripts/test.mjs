// `npm test`: the same preparation as `npm start`, for a stack of its own, then everything that can be checked.
// `npm run test:unit` (`--unit`) leaves out whatever needs Docker; `npm run chaos` (`--chaos`) does nothing but break
// things, again and again. `npm test -- FILE…` runs those files alone, on the stack. Plain JavaScript: it runs before
// anything is installed.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitForServers, waitUntilReady } from './setup/api.mjs';
import { main } from './setup/failure.mjs';
import { installPackages } from './setup/packages.mjs';
import { prepare } from './setup/prepare.mjs';
import { createProgress } from './setup/progress.mjs';
import { attempt } from './setup/run.mjs';
import { forgetState } from './setup/stack.mjs';
import { assembleTestConfig, leaveOutSlowServers } from './setup/test-config.mjs';
import { runAva } from './testing/ava.mjs';
import { checkProof } from './testing/proof.mjs';
import { hostAddress, surroundings } from './testing/surroundings.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Another name is another stack: two checkouts can be tested side by side (with another GANTRY_TEST_PORT too). */
const project = process.env.GANTRY_TEST_PROJECT ?? 'gantry-test';
/** Files named on the command line; empty means all there are. */
const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unitOnly = process.argv.includes('--unit');
const chaosOnly = process.argv.includes('--chaos');
/** Folders of tests that need the stack; those that break it run last and one by one. */
const ON_STACK = ['test/e2e/**/*.test.ts'];
const FAULTS = ['test/chaos/faults/*.test.ts'];
const BREAKING = ['test/e2e-serial/**/*.test.ts', ...FAULTS];
/** For `npm run chaos` alone: it takes a quarter of an hour. */
const LONG = ['test/chaos/long/*.test.ts'];
const CHAOS_ROUNDS = Number(process.env.GANTRY_CHAOS_ROUNDS ?? 5);

const passed = [];
const failed = [];
const say = (line) => process.stdout.write(`${line}\n`);
const progress = createProgress(process.stdout);

/** One thing to check that is not a test of ava: what it prints is shown where it fails. */
async function check(title, command) {
  const { code, output } = await attempt(command, { cwd: root, env: withNode() });
  if (code !== 0) say(output.trimEnd());
  say(`  ${code === 0 ? '✔' : '✘'} ${title}`);
  (code === 0 ? passed : failed).push(title);
}

async function tests(title, options) {
  say(`> ${title}`);
  const result = await runAva({ root, say, ...options });
  passed.push(...result.passed);
  failed.push(...result.failed);
}

function withNode() {
  return { PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` };
}

await main(async () => {
  let stack = null;
  try {
    if (unitOnly) {
      await progress.step('Packages', (detail) => installPackages(root, detail));
    } else {
      stack = await prepareStack();
    }
    if (chosen.length > 0) await only(chosen, stack);
    else if (chaosOnly) await chaos(stack);
    else await everything(stack);
  } catch (error) {
    // The last line has to say how it went, whatever went wrong.
    say(`\n${error.message}`);
    failed.push('the preparation');
  } finally {
    await takeDown(stack);
  }
  if (failed.length > 0) say(`\nFailed:\n${failed.map((title) => `  ✘ ${title}`).join('\n')}`);
  say(`${passed.length} passed, ${failed.length} failed`);
  return failed.length > 0 || passed.length === 0 ? 1 : 0;
});

async function prepareStack() {
  return prepare({
    root,
    project,
    env: {
      GANTRY_PORT: process.env.GANTRY_TEST_PORT ?? '7410',
      GANTRY_SERVER_PORTS: '13001-13019',
      GANTRY_ENVIRONMENT: 'test',
    },
    configDir: join(root, '.gantry', project, 'config'),
    beforeConfig: async (directory) => {
      await assembleTestConfig(directory, root);
      if (chosen.length > 0) await leaveOutSlowServers(directory, chosen);
    },
    // The engine is there only when it is asked for.
    lateEnv: async () => ({ GANTRY_PYPI_INDEX: `http://${await hostAddress()}:7499/simple` }),
    progress,
  });
}

async function only(files, stack) {
  // A stack that was kept has not seen what changed in the fixtures since.
  await stack?.restartOrchestrator();
  const env = stack === null ? {} : await untilServing(stack);
  await tests('The chosen tests', { files, env, serial: true, timeout: '10m' });
}

async function everything(stack) {
  say('> Types and lint');
  await check('the types hold', ['tsc', '-p', '.']);
  await check('the linter has nothing to say', ['biome', 'check', '.']);
  await tests('Unit tests', {
    files: ['test/**/*.test.ts', ...[...ON_STACK, ...BREAKING, ...LONG].map((glob) => `!${glob}`)],
  });
  if (stack !== null) await onStack(stack);
}

/** Every fault, several times over, and then twice a hundred kills. */
async function chaos(stack) {
  const env = await untilServing(stack);
  for (let round = 1; round <= CHAOS_ROUNDS; round++) {
    await tests(`Faults, round ${round} of ${CHAOS_ROUNDS}`, {
      files: FAULTS,
      env,
      serial: true,
      timeout: '5m',
    });
  }
  await tests('Twice a hundred kills', { files: LONG, env, serial: true, timeout: '60m' });
}

async function untilServing(stack) {
  await progress.step('Orchestrator', (detail) => waitUntilReady(stack, detail));
  const env = await surroundings(stack);
  await progress.step('Servers', (detail) =>
    waitForServers(stack, { say: detail, onChange() {} }).then(() => ''),
  );
  return env;
}

async function onStack(stack) {
  const env = await untilServing(stack);
  await tests('Tests on the stack', { files: ON_STACK, env, timeout: '5m' });
  await tests('Tests that break the stack', { files: BREAKING, env, serial: true, timeout: '5m' });
  const problems = checkProof(root, passed);
  for (const problem of problems) say(`  ✘ ${problem}`);
  (problems.length === 0 ? passed : failed).push(
    'every promise of docs/proof.md is shown by a test that ran',
  );
}

/** The stack of the tests leaves nothing behind, except on demand: looking into it is how failures are understood. */
async function takeDown(stack) {
  if (stack === null) return;
  if (process.env.GANTRY_TEST_KEEP !== undefined) return say(`The stack of the tests is kept: ${stack.url}`);
  await progress.step('Taking the stack of the tests down', () =>
    stack.down({ volumes: true }).then(() => ''),
  );
  await forgetState(root, project);
}

// Puts together the configuration directory of the test stack. The orchestrator sees one directory, that of
// gantry.yaml, and a build context has to lie inside it; the sources of ours lie in several places of the tree.
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What is copied: source below the root of the project → target below the new directory. */
const PARTS = [
  ['test/stack/gantry.yaml', 'gantry.yaml'],
  ['test/stack/gantry.test.yaml', 'gantry.test.yaml'],
  ['servers/clock', 'servers/clock'],
  ['test/fixtures/conformance', 'fixtures/conformance'],
  ['test/fixtures/servers', 'fixtures/servers'],
  ['test/fixtures/install-probe', 'fixtures/install-probe'],
  ['test/fixtures/servers/mcp.py', 'fixtures/install-probe/mcp.py'],
  ['test/fixtures/servers/reach.py', 'fixtures/install-probe/reach.py'],
];

/**
 * Fills `directory` anew, from nothing.
 * @param {string} directory absolute path; what is in it goes
 * @param {string} root the root of the project
 */
export async function assembleTestConfig(directory, root = process.cwd()) {
  await mkdir(directory, { recursive: true });
  // The directory itself stays: a running container may have it mounted.
  for (const [, target] of PARTS) {
    await rm(join(directory, target.split('/')[0] ?? target), { recursive: true, force: true });
  }
  for (const [source, target] of PARTS) {
    await cp(join(root, source), join(directory, target), {
      recursive: true,
      // Python leaves its compiled files beside the sources; they would change the content of the build context.
      filter: (path) => !path.endsWith('__pycache__'),
    });
  }
}

/** Servers whose installs take minutes on every new stack. */
const SLOW = ['context7', 'claude-flow', 'ruv-swarm'];

/**
 * Leaves out the slow servers of an assembled configuration that none of the chosen test files names.
 * @param {string} directory as for assembleTestConfig
 * @param {readonly string[]} files of tests
 */
export async function leaveOutSlowServers(directory, files) {
  const { parseDocument } = await import('yaml'); // is there only once the packages are
  const tests = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const path = join(directory, 'gantry.yaml');
  const config = parseDocument(await readFile(path, 'utf8'));
  for (const name of SLOW) if (!tests.some((text) => text.includes(name))) config.deleteIn(['servers', name]);
  await writeFile(path, config.toString());
}

// `npm start`: from a bare host to a mesh whose servers answer; `npm start -- catalog/origin.yaml` with another file than
// gantry.yaml. Plain JavaScript, because it runs before anything is
// installed, on whatever Node the host has.
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reload, waitForServers, waitUntilReady } from './setup/api.mjs';
import { main } from './setup/failure.mjs';
import { prepare } from './setup/prepare.mjs';
import { createProgress } from './setup/progress.mjs';
import { exampleCall, serverTable } from './setup/report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The one named on the command line counts from where it was typed: npm itself changes the directory. */
const configFile =
  process.argv[2] === undefined
    ? resolve(root, process.env.GANTRY_CONFIG_DIR || '.', 'gantry.yaml')
    : resolve(process.env.INIT_CWD ?? '.', process.argv[2]);

await main(async () => {
  const progress = createProgress(process.stdout);
  const stack = await prepare({
    root,
    project: process.env.COMPOSE_PROJECT_NAME || 'gantry',
    configDir: dirname(configFile),
    configFile: basename(configFile),
    progress,
  });
  await progress.step('Orchestrator', (say) => waitUntilReady(stack, say));
  stack.token = await stack.adminToken();
  stack.tokenPath = relative(process.cwd(), join(stack.stateDir, 'admin-token'));
  let settingsChanged = false;
  await progress.step(basename(configFile), async () => {
    const result = await reload(stack);
    settingsChanged = result.settingsChanged;
    return result.text;
  });
  if (settingsChanged) {
    await progress.step('Orchestrator again, for its new settings', async (say) => {
      await stack.restartOrchestrator();
      await waitUntilReady(stack, say);
    });
  }
  const servers = await progress.step('Servers', async (say) => {
    const onChange = ({ name, state }) =>
      progress.note(`${progress.elapsed().padStart(12)}  ${name}: ${state}`);
    return await waitForServers(stack, { say, onChange });
  });

  const lines = ['', ...serverTable(servers), ''];
  const example = await exampleCall(stack, servers);
  if (example !== null) lines.push('Call a tool:', `  ${example}`, '');
  lines.push(
    `Up in ${progress.elapsed()}. The token for changes is in ${stack.tokenPath}. \`npm stop\` takes everything down and keeps the data.`,
  );
  process.stdout.write(`${lines.join('\n')}\n`);
});

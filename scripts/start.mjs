// `npm start`: from a bare host to a mesh whose servers answer. Plain JavaScript, because it runs before anything is
// installed, on whatever Node the host has.
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reload, waitForServers, waitUntilReady } from './setup/api.mjs';
import { main } from './setup/failure.mjs';
import { prepare } from './setup/prepare.mjs';
import { createProgress } from './setup/progress.mjs';
import { exampleCall, serverTable } from './setup/report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

await main(async () => {
  const progress = createProgress(process.stdout);
  const stack = await prepare({
    root,
    project: process.env.COMPOSE_PROJECT_NAME || 'gantry',
    configDir: process.env.GANTRY_CONFIG_DIR || root,
    progress,
  });
  await progress.step('Orchestrator', (say) => waitUntilReady(stack, say));
  stack.token = await stack.adminToken();
  stack.tokenPath = relative(process.cwd(), join(stack.stateDir, 'admin-token'));
  let settingsChanged = false;
  await progress.step('gantry.yaml', async () => {
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

// `npm stop`: takes the stack down and keeps its data.
import { fileURLToPath } from 'node:url';
import { main } from './setup/failure.mjs';
import { openStack } from './setup/open.mjs';
import { createProgress } from './setup/progress.mjs';

await main(async () => {
  const stack = await openStack(fileURLToPath(new URL('..', import.meta.url)));
  if (stack !== null) await createProgress(process.stdout).step('Taking the stack down', () => stack.down());
  process.stdout.write('Stopped. The data is kept; `npm start` brings everything back.\n');
});

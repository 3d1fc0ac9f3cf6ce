// `npm run reset`: removes every trace of the stack but its images.
import { fileURLToPath } from 'node:url';
import { main } from './setup/failure.mjs';
import { openStack } from './setup/open.mjs';
import { createProgress } from './setup/progress.mjs';
import { forgetState } from './setup/stack.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

await main(async () => {
  const stack = await openStack(root);
  if (stack !== null) {
    await createProgress(process.stdout).step('Removing the stack and its data', () =>
      stack.down({ volumes: true }),
    );
  }
  await forgetState(root, process.env.COMPOSE_PROJECT_NAME || 'gantry');
  process.stdout.write('Removed, with all data. The images are kept.\n');
});

/** Something the user can act on. Its message is all that is shown: a stack trace would say less. */
export class SetupError extends Error {
  name = 'SetupError';
}

/**
 * Runs a command of ours to its end, and turns whatever went wrong into one clear text and an exit code.
 * @param {() => Promise<number | void>} command its result, if any, is the exit code
 */
export async function main(command) {
  try {
    process.exitCode = (await command()) ?? 0;
  } catch (error) {
    const text =
      error instanceof SetupError || process.env.GANTRY_DEBUG === undefined ? error.message : error.stack;
    process.stderr.write(`\n${text}\n`);
    process.exitCode = 1;
  }
}

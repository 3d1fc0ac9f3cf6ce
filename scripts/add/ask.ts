import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Question } from '../../orchestrator/config/index.ts';
import { SetupError } from '../setup/failure.mjs';

export type Asking = {
  /** What the user types; several texts where the question may be answered several times. Empty: left out. */
  readonly ask: (question: Question) => Promise<string | readonly string[]>;
  readonly close: () => void;
};

/** Asks on a terminal. What is secret is not shown while it is typed. */
export function askOn(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Asking {
  let isHidden = false;
  const shown = new Writable({
    write(chunk, _encoding, done) {
      if (!isHidden) output.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input, output: shown, terminal: true });
  const left = new Promise<never>((_, reject) => {
    lines.once('close', () => reject(new SetupError('Left without an answer. Nothing was changed.')));
  });
  left.catch(() => {
    // The end of all questions closes them, too.
  });
  const line = async (prompt: string, isSecret: boolean): Promise<string> => {
    // Hidden is also what readline does to the line, so the prompt of a secret is written beside it.
    if (isSecret) output.write(prompt);
    isHidden = isSecret;
    try {
      return await Promise.race([lines.question(isSecret ? '' : prompt), left]);
    } finally {
      isHidden = false;
      if (isSecret) output.write('\n');
    }
  };
  return {
    async ask({ id, description, choices, isSecret, isRepeated, isRequired }) {
      const notes = [
        description ?? '',
        choices.length > 0 ? `one of ${choices.join(', ')}` : '',
        isSecret ? 'not shown' : '',
        isRequired ? '' : 'Enter leaves it out',
      ].filter((note) => note !== '');
      const prompt = `${id}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}: `;
      if (!isRepeated) return await line(prompt, isSecret);
      output.write(`${id} may be given several times; Enter ends it.\n`);
      const texts: string[] = [];
      for (;;) {
        const text = await line(prompt, isSecret);
        if (text === '') return texts;
        texts.push(text);
      }
    },
    close: () => lines.close(),
  };
}

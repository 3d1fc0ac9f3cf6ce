/** Between two signs of life of a long step where there is no terminal. */
const REMINDER_MS = 30_000;
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * Shows what is going on. On a terminal the current line is rewritten, elsewhere each line is written once.
 * @param {{write(text: string): unknown, isTTY?: boolean}} out
 * @param {() => number} [now] milliseconds
 */
export function createProgress(out, now = Date.now) {
  const startedAt = now();
  const isTerminal = out.isTTY === true && process.env.CI === undefined;
  return {
    /** A line of its own, under the step that is running. */
    note(text) {
      out.write(isTerminal ? `\r\x1b[K  ${text}\n` : `  ${text}\n`);
    },

    elapsed: () => formatElapsed(now() - startedAt),

    /**
     * Runs one step. `work` gets a function that tells what it is doing; its result is shown if it is a text.
     * @template T
     * @param {string} title
     * @param {(say: (detail: string) => void) => Promise<T>} work
     * @returns {Promise<T>}
     */
    async step(title, work) {
      const from = now();
      let detail = '';
      let frame = 0;
      const since = () => formatElapsed(now() - from);
      const draw = () => {
        frame += 1;
        const line = `${SPINNER[frame % SPINNER.length]} ${title} ${since()}${detail && `  ${detail}`}`;
        out.write(`\r\x1b[K${line.slice(0, (out.columns || 100) - 1)}`);
      };
      const remind = () => out.write(`  … ${title}: ${since()}${detail && `, ${detail}`}\n`);
      if (!isTerminal) out.write(`> ${title}\n`);
      const timer = setInterval(isTerminal ? draw : remind, isTerminal ? 100 : REMINDER_MS);
      const end = (mark, text) => {
        clearInterval(timer);
        out.write(`${isTerminal ? '\r\x1b[K' : ''}${mark} ${title}${text && `: ${text}`} (${since()})\n`);
      };
      try {
        const result = await work((text) => {
          detail = text;
        });
        end('✔', typeof result === 'string' ? result : '');
        return result;
      } catch (error) {
        end('✘', 'failed');
        throw error;
      }
    },
  };
}

/** `0.4 s`, `12 s`, `3 min 5 s`. */
export function formatElapsed(ms) {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

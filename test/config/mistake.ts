import test from 'ava';
import { loadConfig, type Problem, problemText } from '../../orchestrator/config/index.ts';

/** What `npm start` prints for a file: one line per problem. */
export function linesOf(text: string): string[] {
  const loaded = loadConfig(text, { baseDir: '/etc/gantry' });
  const problems: readonly Problem[] = loaded.ok ? [] : loaded.problems;
  return problems.map((problem) => problemText('gantry.yaml', problem));
}

/** A file with a mistake, and what must be said about it. */
export const mistake = test.macro<[text: string, expected: RegExp]>({
  exec(t, text: string, expected: RegExp) {
    const lines = linesOf(text);
    t.true(
      lines.some((line) => expected.test(line)),
      `${JSON.stringify(lines, null, 1)} has nothing like ${expected}`,
    );
  },
  title: (_, text, expected) => `${JSON.stringify(text).slice(0, 80)} is refused: ${expected.source}`,
});

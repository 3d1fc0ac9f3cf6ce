import { GantryError } from '../kernel/index.ts';

/** One thing that is wrong with a configuration, in words a user can act on. */
export type Problem = {
  /** Which file, where there may be two. */
  readonly file?: string;
  /** Where in the document: `servers.clock.args[1]`; relative to the entry over HTTP. Empty for the whole document. */
  readonly path: string;
  /** From 1; null where there is no file, as over HTTP. */
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
};

/** A place in a document: keys and list indexes, outermost first. */
export type Path = readonly (string | number)[];

/** A problem before anybody knows its line. `at: 'key'` means the key itself is wrong, not its value. */
export type Finding = { readonly path: Path; readonly message: string; readonly at?: 'key' };

/** What every parser of this room answers: all problems at once, never the first alone. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** Gives a finding its place. What users wrote appears in problems, so it is made harmless to print here. */
export function problemAt(
  { path, message }: Finding,
  place: { line: number; column: number } | null,
): Problem {
  return {
    path: printable(pathText(path)),
    line: place?.line ?? null,
    column: place?.column ?? null,
    message: printable(message),
  };
}

/** More help nobody, and a body of a million mistakes must not become an answer of a million problems. */
const mostProblems = 200;

/** Findings of a request body: there is no line to point at. */
export function withoutLines(findings: readonly Finding[]): Problem[] {
  const problems = findings.slice(0, mostProblems).map((finding) => problemAt(finding, null));
  const more = findings.length - problems.length;
  return more === 0 ? problems : [...problems, problemAt({ path: [], message: `and ${more} more` }, null)];
}

/** A problem stays one line, and no terminal obeys what somebody put into a key. */
function printable(text: string): string {
  const clipped = text.length > 400 ? `${text.slice(0, 400)}…` : text;
  return clipped.replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `gantry.yaml:3:5 servers.x.args: must be a list`. @param fileName where the problem does not know its file */
export function problemText(fileName: string, problem: Problem): string {
  const file = problem.file ?? fileName;
  const place = problem.line === null ? file : `${file}:${problem.line}:${problem.column ?? 1}`;
  return problem.path === '' ? `${place} ${problem.message}` : `${place} ${problem.path}: ${problem.message}`;
}

/** The error of a refused definition, as the API shows it (docs/api.md, Errors). */
export function invalidConfig(problems: readonly Problem[]): GantryError {
  const message = problems.length === 1 ? 'There is 1 problem.' : `There are ${problems.length} problems.`;
  return new GantryError('invalid_config', message, {
    detail: {
      problems: problems.map(({ file, path, line, column, message }) => ({
        ...(file === undefined ? {} : { file, column }),
        path,
        line,
        message,
      })),
    },
  });
}

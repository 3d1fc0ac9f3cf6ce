// `npm run add -- server.json`: writes the server of a server.json (MCP registry) or the servers of an mcp.json (VS Code,
// desktop clients) into gantry.yaml. Asks on a terminal for what the document leaves open; elsewhere that is named as
// missing. Nothing is written unless everything is right.
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import jsonc from 'jsonc-parser';
import { unanswered } from '../orchestrator/config/index.ts';
import { type Addition, additionOf, problemLine } from './add/addition.ts';
import { askOn } from './add/ask.ts';
import { plan, write } from './add/write.ts';
import { main, SetupError } from './setup/failure.mjs';

const USAGE = `npm run add -- FILE [--as NAME] [--answer ID=TEXT]... [--answers FILE] [--config FILE] [--dry-run]
  FILE       a server.json or an mcp.json; - reads it from stdin
  --as       another name for the server of a server.json
  --answer   answers a question of the document; several for one ID where it may be repeated
  --answers  a JSON file with answers: {"ID": "TEXT"}; for secrets, which others could see on a command line
  --config   the file to write into, by default gantry.yaml
  --dry-run  shows what would be written`;

const root = fileURLToPath(new URL('..', import.meta.url));
const here = process.env.INIT_CWD ?? '.';

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        as: { type: 'string' },
        answer: { type: 'string', multiple: true, default: [] },
        answers: { type: 'string' },
        config: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
      },
    });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new TypeError('exactly one FILE is needed');
    return { ...values, file };
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

/** JSON, or with comments and commas at ends, as editors keep it. @throws SetupError with line and column */
async function readJson(file: string): Promise<unknown> {
  const content =
    file === '-'
      ? await readAll(process.stdin)
      : await readFile(resolve(here, file), 'utf8').catch(({ message }) => {
          throw new SetupError(message);
        });
  const errors: jsonc.ParseError[] = [];
  const value: unknown = jsonc.parse(content, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error === undefined) return value;
  const lines = content.slice(0, error.offset).split('\n');
  const place = `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
  throw new SetupError(`${file}:${place} is not JSON: ${jsonc.printParseErrorCode(error.error)}`);
}

async function givenAnswers({
  answer,
  answers,
}: ReturnType<typeof options>): Promise<Record<string, string | string[]>> {
  const file = answers === undefined ? {} : await readJson(answers);
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    throw new SetupError(`${answers} must be a map from questions to texts`);
  }
  const given: Record<string, string | string[]> = { ...(file as Record<string, string | string[]>) };
  for (const text of answer) {
    const [, id, value] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
    if (id === undefined || value === undefined) throw new SetupError(`--answer ${text}: write ID=TEXT`);
    const before = given[id];
    given[id] = before === undefined ? value : [before, value].flat();
  }
  return given;
}

/** Asks until nothing is open. An answer that does not fit is asked for again. */
async function asked(
  convert: (answers: Record<string, string | readonly string[]>) => Addition,
  given: Record<string, string | readonly string[]>,
): Promise<Addition> {
  const answers = { ...given };
  let addition = convert(answers);
  const isHopeless = addition.problems.some(({ path }) => path[0] !== 'answers');
  if (isHopeless || addition.questions.length === 0 || process.stdin.isTTY !== true) return addition;
  const asking = askOn(process.stdin, process.stdout);
  const typed = new Set<string>();
  try {
    for (;;) {
      for (const problem of addition.problems) {
        const id = String(problem.path[1]);
        if (problem.path[0] !== 'answers' || !typed.has(id)) continue;
        process.stdout.write(`${id} ${problem.message}\n`);
        delete answers[id];
      }
      addition = convert(answers);
      const [question] = addition.questions;
      if (question === undefined) return addition;
      typed.add(question.id);
      answers[question.id] = await asking.ask(question);
      addition = convert(answers);
    }
  } finally {
    asking.close();
  }
}

await main(async () => {
  const chosen = options();
  const document = await readJson(chosen.file);
  const addition = await asked(
    (answers) => additionOf(document, answers, chosen.as ?? null),
    await givenAnswers(chosen),
  );
  const label = chosen.file === '-' ? 'stdin' : basename(chosen.file);
  const missing = addition.questions.filter(({ isRequired }) => isRequired).map(unanswered);
  const problems = [...addition.problems, ...missing].map((problem) => problemLine(label, problem));
  if (problems.length > 0) throw new SetupError(`${problems.join('\n')}\n\nNothing was changed.`);

  const configDir = resolve(root, process.env.GANTRY_CONFIG_DIR || '.');
  const file = chosen.config === undefined ? join(configDir, 'gantry.yaml') : resolve(here, chosen.config);
  const before = await readFile(file, 'utf8').catch(() => '');
  const planned = await plan(file, basename(file), before, addition);
  if (planned.problems.length > 0)
    throw new SetupError(`${planned.problems.join('\n')}\n\nNothing was changed.`);
  if (chosen['dry-run']) {
    process.stdout.write(planned.text);
    return;
  }
  await write(file, planned.text, addition.secrets);
  const names = [...addition.entries.keys()].join(', ');
  const files = [...addition.secrets.keys()];
  process.stdout.write(
    [
      `Added ${names} to ${file}.`,
      ...(files.length > 0 ? [`Secrets are in ${files.join(', ')}.`] : []),
      'A mesh that is up takes it over by itself; otherwise: npm start\n',
    ].join('\n'),
  );
});

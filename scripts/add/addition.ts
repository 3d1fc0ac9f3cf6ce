import {
  convertForeign,
  dangers,
  type Finding,
  isForeign,
  isObject,
  nameProblem,
  pathText,
  type Question,
  type RawObject,
} from '../../orchestrator/config/index.ts';

/** What a document of another format adds to gantry.yaml. */
export type Addition = {
  readonly entries: ReadonlyMap<string, RawObject>;
  /** Files that the entries refer to, by their path below the directory of gantry.yaml. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Not answered yet; while one is required the entries are not whole. */
  readonly questions: readonly Question[];
  /** Everything that is wrong, each with its path in the document. */
  readonly problems: readonly Finding[];
};

export type Answers = Readonly<Record<string, string | readonly string[]>>;

/** Converts a document. Secrets go into files of their own: gantry.yaml is for everybody to read. */
export function additionOf(document: unknown, answers: Answers, as: string | null): Addition {
  const nothing = { entries: new Map(), secrets: new Map(), questions: [] };
  if (!isObject(document)) return { ...nothing, problems: [{ path: [], message: 'must be a JSON object' }] };
  const dangerous = dangers(document);
  if (dangerous.length > 0) return { ...nothing, problems: dangerous };
  if (!isForeign(document)) {
    const message = 'is neither a server.json (packages) nor an mcp.json (servers or mcpServers)';
    return { ...nothing, problems: [{ path: [], message }] };
  }
  const { servers, questions, findings } = convertForeign({
    ...document,
    answers,
    ...(as === null ? {} : { as }),
  });
  const entries = new Map<string, RawObject>();
  const secrets = new Map<string, string>();
  const problems = [...findings];
  for (const { name, nameAt, entry, secretEnv, secretHeaders, secretArgs } of servers) {
    const wrongName = nameProblem(name);
    if (wrongName !== null) problems.push({ path: nameAt, message: wrongName });
    for (const path of secretArgs) {
      const message =
        'is a secret among the arguments or in an address, which gantry.yaml would show to everybody';
      problems.push({ path, message });
    }
    const env = withSecretFiles(name, entry, 'env', secretEnv, secrets);
    entries.set(name, withSecretFiles(name, env, 'headers', secretHeaders, secrets));
  }
  return { entries, secrets, questions, problems };
}

function withSecretFiles(
  server: string,
  entry: RawObject,
  key: 'env' | 'headers',
  secretNames: readonly string[],
  secrets: Map<string, string>,
): RawObject {
  const written = entry[key];
  if (!isObject(written)) return entry;
  const values = Object.entries(written).map(([name, value]) => {
    if (!secretNames.includes(name) || typeof value !== 'string') return [name, value];
    const file = `secrets/${server}.${name}`;
    secrets.set(file, value);
    return [name, { file }];
  });
  return { ...entry, [key]: Object.fromEntries(values) };
}

export function problemLine(file: string, { path, message }: Finding): string {
  const where = pathText(path);
  return where === '' ? `${file} ${message}` : `${file} ${where}: ${message}`;
}

import { readDockerRun } from './docker-run.ts';
import { HOST_PATH, hasPlaceholder, isHostPath, PLACEHOLDER } from './host-paths.ts';
import { unknownKey } from './issues.ts';
import type { Finding } from './problem.ts';
import { isObject, type RawObject } from './raw.ts';
import { convertRemote } from './remote-entry.ts';

/** An entry of `mcpServers` in Gantry's own form, or why there is none. */
export type Conversion = { readonly entry: RawObject | null; readonly findings: readonly Finding[] };

const knownKeys = ['command', 'args', 'env', 'type'];

/** Keys of clients that mean the machine they run on. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['cwd', 'names a directory of the host'],
  ['envFile', 'names a file of the host: write its variables into env'],
  ['sandbox', 'is for a client that runs the server itself: here every server has a container of its own'],
  [
    'sandboxEnabled',
    'is for a client that runs the server itself: here every server has a container of its own',
  ],
  ['dev', 'is for a client that runs the server itself'],
]);

/**
 * Converts one server as desktop clients write it: `npx`, `uvx`, `docker run`, and `url`. What the conversion cannot
 * keep is a problem, never dropped: a server that starts with half of its settings fails in stranger ways.
 */
export function convertMcpServer(raw: unknown): Conversion {
  if (!isObject(raw)) return refusal([{ path: [], message: 'must be a map of keys and values' }]);
  if (Object.hasOwn(raw, 'url') || (raw.type !== undefined && raw.type !== 'stdio'))
    return convertRemote(raw);
  const findings: Finding[] = [];
  for (const key of Object.keys(raw)) {
    if (knownKeys.includes(key)) continue;
    findings.push({ path: [key], message: reasons.get(key) ?? unknownKey(key, knownKeys), at: 'key' });
  }
  const args = readArgs(raw.args, findings);
  const env = readEnv(raw.env, findings);
  const entry = convertCommand(raw.command, args, env, findings);
  return entry === null || findings.length > 0 ? refusal(findings) : { entry, findings: [] };
}

function convertCommand(
  command: unknown,
  args: readonly string[],
  env: RawObject,
  findings: Finding[],
): RawObject | null {
  if (command === 'docker') {
    const { run, findings: problems } = readDockerRun(args, Object.keys(env));
    findings.push(...problems);
    return run === null
      ? null
      : tidy({ image: run.image }, run.args, { ...env, ...Object.fromEntries(run.env) });
  }
  if (command !== 'npx' && command !== 'uvx') {
    const message =
      command === undefined
        ? 'is required'
        : 'must be npx, uvx or docker: a program of the host does not exist in a container. Use npm:, pypi:, image: or build:';
    findings.push({ path: ['command'], message });
    return null;
  }
  hostPathFindings(args, env, findings);
  let index = 0;
  if (command === 'npx') while (args[index] === '-y' || args[index] === '--yes') index++;
  const name = args[index];
  if (name === undefined) {
    findings.push({ path: ['args'], message: `${command} needs a package` });
    return null;
  }
  if (name.startsWith('-')) {
    const source = command === 'npx' ? 'npm:' : 'pypi:';
    const message = `${name} cannot be converted: write the server with ${source} and, for another program of the package, bin:`;
    findings.push({ path: ['args', index], message });
    return null;
  }
  const rest = args.slice(index + 1);
  return command === 'npx'
    ? tidy({ npm: npmText(name) }, rest, env)
    : tidy({ pypi: pypiText(name) }, rest, env);
}

/** `npx x@latest` asks for what a missing version means here: resolve once, then pin. */
function npmText(name: string): string {
  return name.replace(/@latest$/, '');
}

/** uvx writes versions with `@` as well. */
function pypiText(name: string): string {
  return name.replace(/@latest$/, '').replace(/^([^@=]+)@([^@=]+)$/, '$1==$2');
}

function tidy(source: RawObject, args: readonly string[], env: RawObject): RawObject {
  return { ...source, ...(args.length > 0 ? { args } : {}), ...(Object.keys(env).length > 0 ? { env } : {}) };
}

function readArgs(value: unknown, findings: Finding[]): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    findings.push({ path: ['args'], message: 'must be a list' });
    return [];
  }
  for (const [index, arg] of value.entries()) {
    if (typeof arg !== 'string') findings.push({ path: ['args', index], message: 'must be a string' });
    else if (hasPlaceholder(arg)) findings.push({ path: ['args', index], message: PLACEHOLDER });
  }
  return value.map((arg) => (typeof arg === 'string' ? arg : ''));
}

function readEnv(value: unknown, findings: Finding[]): RawObject {
  if (value === undefined) return {};
  if (!isObject(value)) {
    findings.push({ path: ['env'], message: 'must be a map of keys and values' });
    return {};
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === 'string' && hasPlaceholder(text))
      findings.push({ path: ['env', key], message: PLACEHOLDER });
  }
  return value;
}

/** What npx and uvx are given runs on the client's machine, so a path there is one of the host. */
function hostPathFindings(args: readonly string[], env: RawObject, findings: Finding[]): void {
  const message = HOST_PATH;
  for (const [index, arg] of args.entries())
    if (isHostPath(arg)) findings.push({ path: ['args', index], message });
  for (const [key, value] of Object.entries(env)) {
    if (typeof value === 'string' && isHostPath(value)) findings.push({ path: ['env', key], message });
  }
}

function refusal(findings: readonly Finding[]): Conversion {
  return { entry: null, findings };
}

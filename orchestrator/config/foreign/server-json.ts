import { readDockerOptions } from '../docker-run.ts';
import { HOST_PATH, hasPlaceholder, isHostPath, PLACEHOLDER } from '../host-paths.ts';
import type { Finding, Path } from '../problem.ts';
import type { RawObject } from '../raw.ts';
import { parseNpm, parsePypi } from '../source-text.ts';
import { argumentTokens, environmentTokens, type Token } from './arguments.ts';
import { type ForeignServer, secretsOf } from './foreign-server.ts';
import type { Questions } from './questions.ts';
import { readServerJson, type ServerJsonPackage } from './server-json-schema.ts';

/** What paths of a program of npm or Python may mean inside: a volume. */
const DATA = '/data';

/** Alone, or as `--file=/data/x`. */
function isData(text: string): boolean {
  return /^(--?[A-Za-z][\w-]*=)?\/data(\/|$)/.test(text) && !text.split('/').includes('..');
}

/** The index of each kind, by the second word from the right in the name of its host. */
const KINDS: Readonly<Record<string, { readonly hints: readonly string[]; readonly index: string | null }>> =
  {
    npm: { hints: ['npx'], index: 'npmjs' },
    pypi: { hints: ['uvx'], index: 'pypi' },
    oci: { hints: ['docker', 'podman'], index: null },
  };

/**
 * One server of the MCP registry in Gantry's own form. The packages of a document are the same server in several forms:
 * the first one that can be converted is taken.
 * @param ask makes the questions of one attempt
 * @param name to be called by, in place of the document's own
 */
export function convertServerJson(
  raw: unknown,
  at: Path,
  name: string | null,
  ask: () => Questions,
): {
  readonly server: ForeignServer | null;
  readonly questions: Questions;
  readonly findings: readonly Finding[];
} {
  const under = (findings: readonly Finding[]): Finding[] =>
    findings.map((finding) => ({ ...finding, path: [...at, ...finding.path] }));
  const read = readServerJson(raw);
  const none = { server: null, questions: ask() };
  if (read.findings !== undefined) return { ...none, findings: under(read.findings) };
  const { packages = [], remotes = [], ...document } = read.document;
  if (packages.length === 0) {
    const message = 'has no package to run: a remote server cannot be converted';
    const path = [remotes.length > 0 ? 'remotes' : 'packages'];
    return { ...none, findings: under([{ path, message, at: 'key' }]) };
  }
  const tries = packages.map((given, index) => {
    const questions = ask();
    const path = ['packages', index];
    const { entry, findings, secrets } = convertPackage(given, path, questions);
    const own =
      name ??
      document.name
        .split('/')
        .at(-1)
        ?.toLowerCase()
        .replace(/[^a-z0-9]+/g, '-') ??
      '';
    const server = { name: own, nameAt: [...at, 'name'], at: [...at, ...path], entry, ...secrets };
    const answers = questions.findings.filter((finding) => finding.path[0] === 'answers');
    const others = questions.findings.filter((finding) => finding.path[0] !== 'answers');
    return { server, questions, findings: [...under([...findings, ...others]), ...answers] };
  });
  const good = tries.find(({ findings }) => findings.length === 0);
  return good ?? { ...none, findings: tries.flatMap(({ findings }) => findings) };
}

type Converted = {
  readonly entry: RawObject;
  readonly findings: readonly Finding[];
  readonly secrets: Pick<ForeignServer, 'secretEnv' | 'secretArgs'>;
};

function convertPackage(given: ServerJsonPackage, at: Path, questions: Questions): Converted {
  const findings = packageFindings(given, at);
  const runtime = argumentTokens(given.runtimeArguments, [...at, 'runtimeArguments'], questions);
  const args = argumentTokens(given.packageArguments, [...at, 'packageArguments'], questions);
  const env = environmentTokens(given.environmentVariables, [...at, 'environmentVariables'], questions);
  const all = [...args, ...env.values()];
  for (const { text, at: path } of all)
    if (hasPlaceholder(text)) findings.push({ path, message: PLACEHOLDER });
  const isImage = given.registryType === 'oci';
  const source = isImage
    ? imageSource(given, at, runtime, findings)
    : packageSource(given, at, runtime, findings);
  const inside = isImage ? [] : all.filter(({ text }) => isHostPath(text));
  for (const { text, at: path } of inside) if (!isData(text)) findings.push({ path, message: HOST_PATH });
  const texts = Object.fromEntries([...env].map(([name, { text }]) => [name, text]));
  const entry = {
    ...source.key,
    ...(args.length > 0 ? { args: args.map(({ text }) => text) } : {}),
    ...(source.env.size + env.size > 0 ? { env: { ...Object.fromEntries(source.env), ...texts } } : {}),
    ...(inside.length > 0 ? { data: DATA } : {}),
  };
  const secrets = isImage ? secretsOf(args, env, runtime) : secretsOf([...runtime, ...args], env, []);
  return { entry, findings, secrets };
}

function packageFindings(given: ServerJsonPackage, at: Path): Finding[] {
  const findings: Finding[] = [];
  const problem = (key: string, message: string): void => void findings.push({ path: [...at, key], message });
  const kind = Object.hasOwn(KINDS, given.registryType) ? KINDS[given.registryType] : undefined;
  if (kind === undefined) {
    problem('registryType', `must be one of ${Object.keys(KINDS).join(', ')}: nothing else can be run here`);
    return findings;
  }
  const { runtimeHint, registryBaseUrl, fileSha256, transport } = given;
  if (runtimeHint !== undefined && !kind.hints.includes(runtimeHint)) {
    problem('runtimeHint', `must be ${kind.hints.join(' or ')} for ${given.registryType}`);
  }
  if (registryBaseUrl !== undefined && hostOf(registryBaseUrl)?.split('.').at(-2) !== kind.index) {
    problem(
      'registryBaseUrl',
      'is not where Gantry installs from: GANTRY_NPM_REGISTRY and GANTRY_PYPI_INDEX say where',
    );
  }
  if (fileSha256 !== undefined) problem('fileSha256', 'cannot be checked for this kind of package');
  if (transport.type !== 'stdio') {
    problem('transport', `is ${transport.type}: Gantry runs programs that speak over stdin and stdout`);
  }
  return findings;
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null;
}

type SourceOfPackage = { readonly key: RawObject; readonly env: ReadonlyMap<string, string> };

function packageSource(
  { registryType, identifier, version }: ServerJsonPackage,
  at: Path,
  runtime: readonly Token[],
  findings: Finding[],
): SourceOfPackage {
  const isNpm = registryType === 'npm';
  const text = version === undefined ? identifier : `${identifier}${isNpm ? '@' : '=='}${version}`;
  const wrong = isNpm ? parseNpm(text) : parsePypi(text);
  if (typeof wrong === 'string') {
    const path = [...at, version === undefined ? 'identifier' : 'version'];
    if (isNpm || registryType === 'pypi') findings.push({ path, message: wrong });
  }
  for (const { text: argument, at: path } of runtime) {
    if (isNpm && (argument === '-y' || argument === '--yes')) continue;
    findings.push({
      path,
      message: `${argument} cannot be converted: Gantry installs and runs packages itself`,
    });
  }
  return { key: { [registryType]: text }, env: new Map() };
}

/** Options of the runtime are on the short list of every `docker run` here, never passed through. */
function imageSource(
  { identifier, version, environmentVariables }: ServerJsonPackage,
  at: Path,
  runtime: readonly Token[],
  findings: Finding[],
): SourceOfPackage {
  const isExact = /@sha256:|:[^/]+$/.test(identifier);
  if (isExact && version !== undefined) {
    findings.push({ path: [...at, 'version'], message: 'stands in the identifier of an image already' });
  }
  const image = isExact || version === undefined ? identifier : `${identifier}:${version}`;
  const options = runtime[0]?.text === 'run' ? runtime.slice(1) : runtime;
  const {
    env,
    end,
    findings: problems,
  } = readDockerOptions(
    options.map(({ text }) => text),
    environmentVariables.map(({ name }) => name),
  );
  const atOption = (index: number): Path => options[index]?.at ?? [...at, 'runtimeArguments'];
  for (const { path, message } of problems) findings.push({ path: atOption(Number(path[0])), message });
  for (const { text, at: path } of options.slice(end)) {
    findings.push({ path, message: `${text} is no option: the image stands in identifier` });
  }
  return { key: { image }, env };
}

import { readDockerOptions } from '../docker-run.ts';
import { HOST_PATH, hasPlaceholder, isHostPath, PLACEHOLDER } from '../host-paths.ts';
import type { Finding, Path } from '../problem.ts';
import type { RawObject } from '../raw.ts';
import { convertRemote } from '../remote-entry.ts';
import { parseNpm, parsePypi } from '../source-text.ts';
import { addressOf, argumentTokens, namedTokens, type Token } from './arguments.ts';
import { type ForeignServer, type Secrets, secretsOf } from './foreign-server.ts';
import type { Questions } from './questions.ts';
import { readServerJson, type ServerJsonPackage, type ServerJsonRemote } from './server-json-schema.ts';

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
 * One server of the MCP registry in Gantry's own form. The packages and remotes of a document are the same server in several
 * forms: the first one that can be converted is taken, packages before remotes.
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
  const { packages, remotes, ...document } = read.document;
  if (packages.length + remotes.length === 0) {
    const message = 'is required, unless there are remotes';
    return { ...none, findings: under([{ path: ['packages'], message, at: 'key' }]) };
  }
  const own = document.name.split('/').at(-1) ?? '';
  const called = name ?? own.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const tried = (path: Path, convert: (path: Path, questions: Questions) => Converted) => {
    const questions = ask();
    const { entry, findings, secrets } = convert(path, questions);
    const server = { name: called, nameAt: [...at, 'name'], at: [...at, ...path], entry, ...secrets };
    const answers = questions.findings.filter((finding) => finding.path[0] === 'answers');
    const others = questions.findings.filter((finding) => finding.path[0] !== 'answers');
    return { server, questions, findings: [...under([...findings, ...others]), ...answers] };
  };
  const tries = [
    ...packages.map((one, index) => tried(['packages', index], (...to) => convertPackage(one, ...to))),
    ...remotes.map((one, index) => tried(['remotes', index], (...to) => convertElsewhere(one, ...to))),
  ];
  const good = tries.find(({ findings }) => findings.length === 0);
  return good ?? { ...none, findings: tries.flatMap(({ findings }) => findings) };
}

type Converted = {
  readonly entry: RawObject;
  readonly findings: readonly Finding[];
  readonly secrets: Secrets;
};

function convertPackage(given: ServerJsonPackage, at: Path, questions: Questions): Converted {
  const findings = packageFindings(given, at);
  const runtime = argumentTokens(given.runtimeArguments, [...at, 'runtimeArguments'], questions);
  const args = argumentTokens(given.packageArguments, [...at, 'packageArguments'], questions);
  const env = namedTokens(given.environmentVariables, [...at, 'environmentVariables'], questions);
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

/** A server that somebody else runs. What has no answer yet leaves it without an address. */
function convertElsewhere(given: ServerJsonRemote, at: Path, questions: Questions): Converted {
  const address = addressOf(given, at, questions);
  const tokens = namedTokens(given.headers, [...at, 'headers'], questions);
  const headers = Object.fromEntries([...tokens].map(([name, { text }]) => [name, text]));
  const { entry, findings } = convertRemote({ type: given.type, url: address?.text ?? '', headers });
  const secretHeaders = [...tokens].filter(([, { isSecret }]) => isSecret).map(([name]) => name);
  const secretArgs = address?.isSecret === true ? [at] : [];
  return {
    entry: address === null ? {} : (entry ?? {}),
    findings: findings.map((finding) => ({ ...finding, path: [...at, ...finding.path] })),
    secrets: { secretEnv: [], secretHeaders, secretArgs },
  };
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
  const given = environmentVariables.map(({ name }) => name);
  const env = new Map<string, string>();
  const problems = new Map<Path, string>();
  for (let start = 0; start < options.length; start++) {
    const words = options.slice(start).map(({ text }) => text);
    const read = readDockerOptions(words, given);
    for (const [name, value] of read.env) env.set(name, value);
    for (const { path, message } of read.findings) {
      tell(problems, options[start + Number(path[0])]?.at ?? [...at, 'runtimeArguments'], message);
    }
    start += read.end;
    const stray = options[start];
    if (stray !== undefined)
      tell(problems, stray.at, `${stray.text} is no option: the image stands in identifier`);
  }
  for (const [path, message] of problems) findings.push({ path, message });
  return { key: { image }, env };
}

/** One problem for an argument: an option that is refused and its value are the same mistake. */
function tell(problems: Map<Path, string>, at: Path, message: string): void {
  if (!problems.has(at)) problems.set(at, message);
}

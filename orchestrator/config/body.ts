import type { ServerSpec } from '../kernel/index.ts';
import { ownDependencyFindings } from './depends-on.ts';
import { checkEntry, nameProblem } from './entry.ts';
import { convertForeign, isForeign, unanswered } from './foreign/index.ts';
import { mergePatch } from './merge-patch.ts';
import { defaultPortRange, type PortRange } from './port-range.ts';
import { type Finding, type Parsed, type Path, withoutLines } from './problem.ts';
import { dangers, isObject, type RawObject } from './raw.ts';

/** A server made over the API: `entry` is what was written, to be stored and patched; `spec` is what it means. */
export type ApiServer = { readonly name: string; readonly entry: RawObject; readonly spec: ServerSpec };

export type BodyOptions = {
  readonly portRange?: PortRange;
  /** Ports of all other servers, and whose they are. */
  readonly usedPorts?: ReadonlyMap<number, string>;
  /** What all other servers depend on, by name. Without it `dependsOn` is not looked at. */
  readonly dependsOn?: ReadonlyMap<string, readonly string[]>;
};

/**
 * The body of `POST /api/v1/servers`: `{"name", …entry}`, or a document of another format, which may bring several. All or
 * nothing.
 */
export function parseServerBody(body: unknown, options: BodyOptions = {}): Parsed<readonly ApiServer[]> {
  const unusable = refuseUnusable(body);
  if (unusable !== null) return unusable;
  const document = body as RawObject;
  if (isForeign(document)) return parseForeign(document, options);
  const { name, ...entry } = document;
  if (typeof name !== 'string') {
    const problem = { path: ['name'], message: name === undefined ? 'is required' : 'must be a string' };
    return refused([problem, ...check('x', entry, [], options).findings]);
  }
  const { server, findings } = check(name, entry, [], options);
  const wrongName = nameProblem(name);
  const all = wrongName === null ? findings : [{ path: ['name'], message: wrongName }, ...findings];
  return server === null || all.length > 0 ? refused(all) : { ok: true, value: [server] };
}

/** A stored entry, when the orchestrator starts again. What was valid once may not be for a newer version. */
export function parseStoredEntry(name: string, entry: unknown, options: BodyOptions = {}): Parsed<ApiServer> {
  const unusable = refuseUnusable(entry);
  if (unusable !== null) return unusable;
  const { server, findings } = check(name, entry as RawObject, [], options);
  const wrongName = nameProblem(name);
  const all = wrongName === null ? findings : [{ path: ['name'], message: wrongName }, ...findings];
  return server === null || all.length > 0 ? refused(all) : { ok: true, value: server };
}

/** The body of PATCH: a JSON merge patch (RFC 7396) of the entry as it was written. A name stays. */
export function patchEntry(
  name: string,
  entry: RawObject,
  patch: unknown,
  options: BodyOptions = {},
): Parsed<ApiServer> {
  const unusable = refuseUnusable(patch);
  if (unusable !== null) return unusable;
  const { name: newName, ...changes } = patch as RawObject;
  const renamed = newName !== undefined && newName !== name;
  const { server, findings } = check(name, mergePatch(entry, changes) as RawObject, [], options);
  const all = renamed
    ? [{ path: ['name'], message: 'cannot be changed: delete the server and make another' }, ...findings]
    : findings;
  return server === null || all.length > 0 ? refused(all) : { ok: true, value: server };
}

function parseForeign(document: RawObject, options: BodyOptions): Parsed<readonly ApiServer[]> {
  const { servers, questions, findings } = convertForeign(document);
  // What nobody is there to answer is missing; a secret that may be left out is left out.
  const all = [...findings, ...questions.filter(({ isRequired }) => isRequired).map(unanswered)];
  const made: ApiServer[] = [];
  for (const { name, nameAt, at, entry } of servers) {
    const wrongName = nameProblem(name);
    if (wrongName !== null) all.push({ path: nameAt, message: wrongName });
    // A server elsewhere whose address has no answer yet.
    if (Object.keys(entry).length === 0) continue;
    const result = check(name, entry, at, options);
    all.push(...result.findings);
    if (result.server !== null) made.push(result.server);
  }
  return all.length > 0 ? refused(all) : { ok: true, value: made };
}

function check(
  name: string,
  entry: RawObject,
  at: Path,
  { portRange = defaultPortRange, usedPorts = new Map(), dependsOn }: BodyOptions,
): { server: ApiServer | null; findings: Finding[] } {
  // `build:` and files are refused over HTTP, so there is no directory they could be relative to.
  const readSecret = (): never => {
    throw new TypeError('a file was read for the API');
  };
  const context = { origin: 'api', baseDir: '/', portRange, usedPorts, readSecret } as const;
  const { spec, findings } = checkEntry(name, entry, context);
  const all = [...findings];
  if (dependsOn !== undefined && spec !== null) {
    all.push(...ownDependencyFindings(name, spec.dependsOn, dependsOn));
  }
  return {
    server: spec === null || all.length > 0 ? null : { name, entry, spec },
    findings: all.map((finding) => ({ ...finding, path: [...at, ...finding.path] })),
  };
}

/** What must be refused before anything looks into it. */
function refuseUnusable(value: unknown): { ok: false; problems: ReturnType<typeof withoutLines> } | null {
  if (!isObject(value)) return refused([{ path: [], message: 'must be a JSON object' }]);
  const findings = dangers(value);
  return findings.length > 0 ? refused(findings) : null;
}

function refused(findings: readonly Finding[]): { ok: false; problems: ReturnType<typeof withoutLines> } {
  return { ok: false, problems: withoutLines(findings) };
}

import type { ServerSet, ServerSpec } from '../kernel/index.ts';
import type { TokenEntry } from './auth.ts';
import { type Dependent, dependencyFindings, writtenDependsOn } from './depends-on.ts';
import { checkEntry, nameProblem } from './entry.ts';
import { findingsOf } from './issues.ts';
import { convertMcpServer } from './mcp-servers.ts';
import { type ConfigText, readLayers } from './overlay.ts';
import { defaultPortRange, type PortRange } from './port-range.ts';
import { type Finding, type Path, type Problem, pathText } from './problem.ts';
import { isObject, type RawObject } from './raw.ts';
import { type ReadSecret, secretReader } from './secret-file.ts';
import { setKeysAt, setsOf } from './sets.ts';
import { SettingsFile } from './settings.ts';
import { parseSize } from './size.ts';

/** The static half of gantry.yaml: read once, at start. */
export type Settings = {
  readonly auth: { readonly tokens: readonly TokenEntry[] };
  readonly http: {
    readonly allowedOrigins: readonly string[];
    readonly allowedHosts: readonly string[];
    readonly maxBodyBytes: number;
  };
  /** `memoryBudgetBytes` is null where it is to be worked out from the engine's memory. */
  readonly limits: { readonly maxLineBytes: number; readonly memoryBudgetBytes: number | null };
  /** Where servers may be that are not run here (`AddressRules`). */
  readonly registry: { readonly allowedAddresses: readonly string[] };
};

export type LoadOptions = {
  /** Absolute directory of the file: `build:` is relative to it. */
  readonly baseDir: string;
  readonly portRange?: PortRange;
  /** The name of the file, for problems. */
  readonly fileName?: string;
  /** The file of an environment, laid over it. */
  readonly overlay?: ConfigText | null;
  /** By default the files below `baseDir`. */
  readonly readSecret?: ReadSecret;
};

/** Everything a valid file says, or everything that is wrong with it. Never half of a file. */
export type Loaded =
  | {
      readonly ok: true;
      readonly settings: Settings;
      readonly sets: readonly ServerSet[];
      readonly servers: readonly ServerSpec[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads the text of gantry.yaml; an empty one is fine. Nothing is opened but the files that `env` refers to. */
export function loadConfig(text: string, options: LoadOptions): Loaded {
  const layers = readLayers({ file: options.fileName ?? 'gantry.yaml', text }, options.overlay ?? null);
  if (layers.value === null) return { ok: false, problems: sorted(layers.problems) };
  const { settings, sets, specs, findings } = readFile(layers.value, options);
  if (settings !== null && findings.length === 0) return { ok: true, settings, sets, servers: specs };
  // Where both files have a part in it, the one that brought the problem is named.
  const before = new Set(options.overlay ? readFile(layers.base ?? {}, options).findings.map(identity) : []);
  const problems = findings.map((finding) => layers.locate(finding, before.has(identity(finding))));
  return { ok: false, problems: sorted(problems) };
}

type Read = {
  settings: Settings | null;
  sets: readonly ServerSet[];
  specs: readonly ServerSpec[];
  findings: readonly Finding[];
};

function readFile(file: RawObject, options: LoadOptions): Read {
  const settings = readSettings(file);
  const servers = readServers(file, options);
  return {
    settings: settings.value,
    sets: settings.sets,
    specs: servers.specs,
    findings: [...settings.findings, ...servers.findings],
  };
}

function identity({ path, message }: Finding): string {
  return `${pathText(path)} ${message}`;
}

function readSettings(file: unknown): Pick<Read, 'sets' | 'findings'> & { value: Settings | null } {
  const result = SettingsFile.safeParse(file, { reportInput: true });
  if (!result.success) {
    return { value: null, sets: [], findings: findingsOf(result.error, { keysAt: settingKeys }) };
  }
  const { auth, http, limits, registry, sets } = result.data;
  const tokens = auth.tokens.map((token) => ({ ...token, sha256: token.sha256.toLowerCase() }));
  const findings = tokens.flatMap((token, index): Finding[] =>
    tokens.findIndex(({ sha256 }) => sha256 === token.sha256) === index
      ? []
      : [
          {
            path: ['auth', 'tokens', index, 'sha256'],
            message: 'is the hash of an earlier token: who calls would be unclear',
          },
        ],
  );
  return {
    value: {
      auth: { tokens },
      http: { ...http, maxBodyBytes: parseSize(http.maxBodyBytes) ?? Number.NaN },
      limits: {
        maxLineBytes: parseSize(limits.maxLineBytes) ?? Number.NaN,
        memoryBudgetBytes: limits.memoryBudget === undefined ? null : parseSize(limits.memoryBudget),
      },
      registry,
    },
    sets: setsOf(sets),
    findings,
  };
}

function settingKeys(path: Path): readonly string[] {
  const { auth, http, limits, registry } = SettingsFile.shape;
  if (path[0] === 'auth')
    return path.length > 1 ? ['principal', 'sha256', 'scopes'] : Object.keys(auth.unwrap().shape);
  if (path[0] === 'sets' && path.length > 1) return setKeysAt(path.length);
  if (path[0] === 'http') return Object.keys(http.unwrap().shape);
  if (path[0] === 'limits') return Object.keys(limits.unwrap().shape);
  if (path[0] === 'registry') return Object.keys(registry.unwrap().shape);
  return Object.keys(SettingsFile.shape);
}

function readServers(
  file: Record<string, unknown>,
  options: LoadOptions,
): { specs: ServerSpec[]; findings: Finding[] } {
  const specs: ServerSpec[] = [];
  const findings: Finding[] = [];
  const usedPorts = new Map<number, string>();
  const dependents = new Map<string, Dependent>();
  const portRange = options.portRange ?? defaultPortRange;
  const readSecret = options.readSecret ?? secretReader(options.baseDir);
  const own = section(file, 'servers', findings);
  const foreign = section(file, 'mcpServers', findings);
  const take = (at: Path, name: string, raw: unknown): void => {
    const context = { origin: 'file', baseDir: options.baseDir, portRange, usedPorts, readSecret } as const;
    if (!dependents.has(name)) dependents.set(name, { at, dependsOn: writtenDependsOn(raw) });
    const wrongName = nameProblem(name);
    if (wrongName !== null) findings.push({ path: at, message: wrongName, at: 'key' });
    const result = checkEntry(name, raw, context);
    for (const finding of result.findings) findings.push({ ...finding, path: [...at, ...finding.path] });
    if (result.spec !== null) specs.push(result.spec);
    if (isObject(raw) && typeof raw.port === 'number' && !usedPorts.has(raw.port))
      usedPorts.set(raw.port, name);
  };
  for (const [name, raw] of own) take(['servers', name], name, raw);
  const names = own.map(([name]) => name);
  for (const [name, raw] of foreign) {
    const at = ['mcpServers', name];
    if (names.includes(name)) findings.push({ path: at, message: 'is under servers: already', at: 'key' });
    const { entry, findings: problems } = convertMcpServer(raw);
    for (const finding of problems) findings.push({ ...finding, path: [...at, ...finding.path] });
    if (entry !== null) take(at, name, entry);
    // What cannot be converted is a server all the same: who depends on it is not wrong, too.
    else if (!dependents.has(name)) dependents.set(name, { at, dependsOn: [] });
  }
  return { specs, findings: [...findings, ...dependencyFindings(dependents)] };
}

function section(file: Record<string, unknown>, key: string, findings: Finding[]): [string, unknown][] {
  const value = file[key] ?? {};
  if (isObject(value)) return Object.entries(value);
  findings.push({ path: [key], message: 'must be a map from names to servers' });
  return [];
}

/** File by file and in the order of each, as a reader meets them. */
function sorted(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  const rank = ({ file }: Problem): number => files.indexOf(file);
  const placed = (a: Problem, b: Problem): number =>
    (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
  return problems.toSorted((a, b) => rank(a) - rank(b) || placed(a, b));
}

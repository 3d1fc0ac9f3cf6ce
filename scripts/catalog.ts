// `npm run catalog`: a table of the servers of a file, by default the nineteen of the earlier mesh: what runs, what does not
// and why. Where a mesh is up, the states are those of its servers. `npm run catalog -- gantry.yaml` shows another file.
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap, isScalar, parseDocument } from 'yaml';
import { loadConfig, problemText } from '../orchestrator/config/index.ts';
import { type ServerSpec, sourceLabel } from '../orchestrator/kernel/index.ts';
import { call } from './setup/api.mjs';
import { readSettings } from './setup/settings.mjs';
import { stateDirectory } from './setup/stack.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The table in Markdown. The comment above each entry is its remark.
 * @param file absolute
 * @param states of a mesh that is up, by server; null shows what the file says
 * @throws Error with every problem of the file
 */
export function catalogTable(
  file: string,
  text: string,
  states: ReadonlyMap<string, string> | null = null,
): string {
  // Whoever wants to see what is in a file need not have its secrets.
  const readSecret = () => ({ ok: true, text: '' }) as const;
  const fileName = relative(root, file);
  const loaded = loadConfig(text, { baseDir: dirname(file), fileName, readSecret });
  if (!loaded.ok) {
    throw new Error(loaded.problems.map((problem) => problemText(fileName, problem)).join('\n'));
  }
  const remarks = remarksIn(text);
  const rows = loaded.servers.map((spec) => [
    String(spec.port ?? ''),
    `\`${spec.name}\``,
    states === null ? (spec.disabled === null ? 'runs' : 'disabled') : (states.get(spec.name) ?? 'not there'),
    `\`${programOf(spec)}\``,
    spec.disabled ?? '',
    remarks.get(spec.name) ?? '',
  ]);
  const head = ['port', 'server', 'state', 'program', 'why it is not run', 'remark'];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function programOf(spec: ServerSpec): string {
  if (spec.source.kind === 'build') return `build: ${relative(root, spec.source.path)}`;
  return Object.entries(sourceLabel(spec.source))
    .map(([kind, name]) => `${kind}: ${name}`)
    .join();
}

/** The comments right above the entries of `servers`, by name. */
function remarksIn(text: string): ReadonlyMap<string, string> {
  const servers = parseDocument(text).get('servers');
  if (!isMap(servers)) return new Map();
  return new Map(
    servers.items.flatMap(({ key }, index): [string, string][] => {
      if (!isScalar(key)) return [];
      // What stands above the first entry belongs to the map around it.
      const comment = key.commentBefore ?? (index === 0 ? servers.commentBefore : null) ?? '';
      return [[String(key.value), comment.replace(/\s*\n\s*/g, ' ').trim()]];
    }),
  );
}

/** Null where no mesh is up, or none that knows any of these. */
async function statesOfMesh(): Promise<ReadonlyMap<string, string> | null> {
  const { GANTRY_PORT } = await readSettings(root);
  const url = `http://127.0.0.1:${GANTRY_PORT}`;
  const project = process.env.COMPOSE_PROJECT_NAME || 'gantry';
  const token = await readFile(join(stateDirectory(root, project), 'admin-token'), 'utf8').catch(() => null);
  const mesh = token === null ? { url } : { url, token: token.trim() };
  const { status, body } = await call(mesh, 'GET', '/api/v1/servers');
  if (status !== 200) return null;
  const { servers } = body as { servers: { name: string; state: string }[] };
  return new Map(servers.map(({ name, state }) => [name, state]));
}

if (import.meta.main) {
  const [given] = process.argv.slice(2);
  const file =
    given === undefined ? join(root, 'catalog/origin.yaml') : resolve(process.env.INIT_CWD ?? '.', given);
  try {
    process.stdout.write(`${catalogTable(file, await readFile(file, 'utf8'), await statesOfMesh())}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadConfig, problemText, secretReader } from '../../orchestrator/config/index.ts';
import type { Addition } from './addition.ts';
import { takenNames, withServers } from './insert.ts';

/** The orchestrator runs as another user and has to read them; `secrets/` is ignored by git. */
const READABLE = 0o644;

/**
 * What gantry.yaml becomes, or everything that is in the way. Nothing is written.
 * @param file absolute
 */
export async function plan(
  file: string,
  name: string,
  text: string,
  { entries, secrets }: Addition,
): Promise<{ readonly text: string; readonly problems: readonly string[] }> {
  const baseDir = dirname(file);
  const onDisk = secretReader(baseDir);
  const checked = (content: string): readonly string[] => {
    const loaded = loadConfig(content, {
      baseDir,
      fileName: name,
      portRange: { first: 1, last: 65_535 },
      readSecret: (path) => {
        const planned = secrets.get(path);
        return planned === undefined ? onDisk(path) : { ok: true, text: planned };
      },
    });
    return loaded.ok ? [] : loaded.problems.map((problem) => problemText(name, problem));
  };
  const before = checked(text);
  if (before.length > 0) return { text, problems: before };
  const taken = takenNames(text, [...entries.keys()]);
  const problems = taken.map(
    (server) => `${name} servers.${server}: is there already; give another name with --as`,
  );
  for (const [path, secret] of secrets) {
    const found = await readFile(join(baseDir, path), 'utf8').catch(() => null);
    if (found !== null && found !== `${secret}\n`) {
      problems.push(`${path} is there already with another content`);
    }
  }
  if (problems.length > 0) return { text, problems };
  const after = withServers(text, entries);
  return { text: after, problems: checked(after) };
}

/** Secrets first: gantry.yaml is read as soon as it changes. It is replaced as a whole. @param file absolute */
export async function write(file: string, text: string, secrets: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, secret] of secrets) {
    const at = join(dirname(file), path);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, `${secret}\n`, { mode: READABLE });
  }
  const mode = await stat(file).then(
    (facts) => facts.mode & 0o777,
    () => READABLE,
  );
  const next = `${file}.new`;
  await writeFile(next, text, { mode });
  await chmod(next, mode);
  await rename(next, file);
}

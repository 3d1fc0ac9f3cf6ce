/** Where the build leaves what was chosen, for `images.ts` to read back. */
export const COMMAND_FILE = '/app/gantry-command.json';
/** Exact versions of everything that was installed. */
export const LOCK_FILE = { npm: '/app/package-lock.json', pypi: '/app/requirements.lock' } as const;
/** Where the first step of a build without a version leaves the one that was found. */
export const VERSION_FILE = '/app/gantry-version';
/** Starts a line of build output that is meant for `install-failure.ts`. */
export const MARK = 'gantry-problem:';

/**
 * Runs inside the build. Finds the program of an npm package: the `bin` that was asked for, or what `npx` would
 * take: the only one, or the one named like the package.
 */
export const npmCommandScript = `
import { readFileSync, writeFileSync } from 'node:fs';
const [name, wanted] = process.argv.slice(2);
const { bin, version } = JSON.parse(readFileSync('/app/node_modules/' + name + '/package.json', 'utf8'));
const short = name.split('/').pop();
const names = typeof bin === 'string' ? [short] : Object.keys(bin ?? {});
const programs = new Set(typeof bin === 'string' ? [bin] : Object.values(bin ?? {}));
const usual = programs.size === 1 ? names[0] : names.find((one) => one === short);
const chosen = wanted ? names.find((one) => one === wanted) : usual;
if (chosen === undefined) {
  console.error('${MARK} ' + JSON.stringify({ programs: names, wanted: wanted || null }));
  process.exit(1);
}
writeFileSync('${COMMAND_FILE}', JSON.stringify({ command: ['/app/node_modules/.bin/' + chosen], version }));
`.trimStart();

/** The same for a Python package, from its console scripts. */
export const pypiCommandScript = `
import importlib.metadata, json, sys
name, wanted = sys.argv[1], sys.argv[2]
dist = importlib.metadata.distribution(name)
names = sorted(e.name for e in dist.entry_points if e.group == 'console_scripts')
plain = lambda text: text.lower().replace('_', '-').replace('.', '-')
matches = [n for n in names if n == wanted] if wanted else [n for n in names if plain(n) == plain(name)]
chosen = matches[0] if matches else names[0] if len(names) == 1 and not wanted else None
if chosen is None:
    print('${MARK} ' + json.dumps({'programs': names, 'wanted': wanted or None}), file=sys.stderr)
    sys.exit(1)
with open('${COMMAND_FILE}', 'w') as file:
    json.dump({'command': ['/app/venv/bin/' + chosen], 'version': dist.version}, file)
`.trimStart();

/** Asks the index for the newest version without installing anything. */
export const pypiVersionScript = `
import json, sys
report = json.load(sys.stdin)
open('${VERSION_FILE}', 'w').write(report['install'][0]['metadata']['version'])
`.trimStart();

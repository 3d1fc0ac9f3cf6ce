/** How the text behind `npm:`, `pypi:`, `image:` and `build:` is read. A string is the problem. */

export type Package = { readonly name: string; readonly version: string | null };

/** npm's rules for new names (validate-npm-package-name); the first character can never make it an option. */
const npmName = /^(?:@[a-z0-9][a-z0-9._~-]*\/)?[a-z0-9][a-z0-9._~-]*$/;
/** semver.org, with the leading-zero rule left to npm. */
const exactSemver = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
/** PEP 508 names, without extras. */
const pypiName = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
/** PEP 440 public versions, with an optional local part. */
const exactPep440 =
  /^(?:\d+!)?\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.post\d+)?(?:\.dev\d+)?(?:\+[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*)?$/;
/** distribution/reference: registry host, path, tag, digest. */
const imageReference =
  /^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?)\/)?[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$/;

/** `[@scope/]name[@version]`: an exact version, or none. */
export function parseNpm(text: string): Package | string {
  const at = text.indexOf('@', 1);
  const name = at === -1 ? text : text.slice(0, at);
  const version = at === -1 ? null : text.slice(at + 1);
  if (/^[a-z+]+:|^[./~]|^git@|\.git$|\.tgz$/.test(text) || version?.includes(':')) {
    return 'must be a package of the npm registry: addresses, git repositories and files are not installed';
  }
  if (!npmName.test(name) || text.length > 214)
    return `"${clip(text)}" is not an npm package: write name@1.2.3`;
  if (version !== null && !exactSemver.test(version)) {
    return `needs an exact version such as ${name}@1.2.3, or none at all (it is then resolved once and pinned): "${clip(version)}" is a tag or a range`;
  }
  return { name, version };
}

/** `name==version`, or `name`. */
export function parsePypi(text: string): Package | string {
  const [name = '', version, ...rest] = text.split('==');
  if (/^[a-z+]+:|^[./~]|@|\.whl$|\.tar\.gz$/.test(text)) {
    return 'must be a package of the Python index, written name==1.2.3: addresses, repositories and files are not installed';
  }
  if (text.includes('[')) return 'extras ("name[extra]") are not supported: name the package alone';
  if (rest.length > 0 || (version === undefined && /[<>=!~,;*\s]/.test(text))) {
    return `needs an exact version written with ==, such as name==1.2.3, or none at all (it is then resolved once and pinned): "${clip(text)}" is a range`;
  }
  if (!pypiName.test(name) || text.length > 214)
    return `"${clip(text)}" is not a Python package: write name==1.2.3`;
  if (version !== undefined && !exactPep440.test(version)) {
    return `needs an exact version such as ${name}==1.2.3, or none at all (it is then resolved once and pinned): "${clip(version)}" is a range`;
  }
  return { name, version: version ?? null };
}

/** Null when it is an image reference. Options, spaces and paths are none. */
export function imageProblem(text: string): string | null {
  if (text.length <= 255 && imageReference.test(text)) return null;
  return `"${clip(text)}" is not an image reference: write repo/name:tag or repo/name@sha256:…`;
}

/**
 * Null when it is a directory beside or below gantry.yaml. Only that directory is visible to the orchestrator,
 * so anything else could never be built.
 */
export function buildPathProblem(text: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a control character is what is looked for
  if (text === '' || /[\u0000-\u001f\\]/.test(text)) return 'must be a directory such as ./servers/clock';
  if (
    text.startsWith('/') ||
    text.startsWith('~') ||
    /^[a-z+]+:/i.test(text) ||
    text.split('/').includes('..')
  ) {
    return 'must be a directory below the one of gantry.yaml, such as ./servers/clock';
  }
  return null;
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

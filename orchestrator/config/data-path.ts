import { posix } from 'node:path';

/** Of these, everything below is taken too: the kernel, the tmpfs and the programs of the image live there. */
const takenTrees = [
  '/proc',
  '/sys',
  '/dev',
  '/tmp',
  '/run',
  '/var/run',
  '/etc',
  '/boot',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/usr/bin',
  '/usr/sbin',
  '/usr/lib',
  '/usr/local/bin',
  '/usr/local/lib',
];

/** A volume here would hide what images keep below; a directory of one's own below is fine. */
const takenDirectories = [
  '/',
  '/usr',
  '/usr/local',
  '/var',
  '/var/lib',
  '/opt',
  '/home',
  '/root',
  '/srv',
  '/mnt',
];

/** Null when a volume may be mounted there. */
export function dataPathProblem(path: string): string | null {
  if (!path.startsWith('/')) return 'must be an absolute path inside the container, such as /data';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a control character is what is looked for
  if (path.length > 255 || /[\u0000-\u001f:,\\]/.test(path)) {
    return 'must be a path of at most 255 characters without ":", ",", "\\" and control characters';
  }
  if (path.split('/').some((part) => part === '..' || part === '.')) return 'must not contain "." or ".."';
  const clean = cleanDataPath(path);
  if (
    takenDirectories.includes(clean) ||
    takenTrees.some((tree) => clean === tree || clean.startsWith(`${tree}/`))
  ) {
    return `${clean} belongs to the system of the container: use a directory of its own, such as /data`;
  }
  return null;
}

/** One spelling per directory: `//data/` is `/data`. */
export function cleanDataPath(path: string): string {
  const clean = posix.normalize(path).replace(/^\/+/, '/');
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

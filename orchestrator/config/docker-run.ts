import type { Finding } from './problem.ts';

/** What of a `docker run` Gantry keeps. */
export type DockerRun = {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
};

/** Given by Gantry to every replica anyway. */
const granted = new Set(['-i', '--rm', '--init']);

/** Options that give a container something of the host; each is worth a reason of its own. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^(-v|--volume|--mount)/, 'mounts a path of the host, which no container of Gantry gets: use data:'],
  [/^(-p|--publish|-P)/, 'publishes a port: a server of Gantry is reached over its stdio'],
  [/^(--net)/, 'chooses a network: use network: none or internet'],
  [/^(-m|--memory|--cpus|--pids)/, 'sets a limit: use resources:'],
  [/^(--env-file)/, 'reads a file of the host: write the variables into env'],
  [/^(-d|--detach|-t|--tty|-it|-ti)/, 'takes stdin and stdout away from the protocol: use -i alone'],
];

/** What the options of a `docker run` set, and what follows them. */
export type DockerOptions = {
  readonly env: ReadonlyMap<string, string>;
  /** Index of the first argument that is no option. */
  readonly end: number;
  /** Paths begin with the index of the argument. */
  readonly findings: readonly Finding[];
};

/**
 * Options are on a short list, never passed through: an entry from the internet may ask for mounts or for the network of
 * the host.
 * @param given variables that the entry sets beside the command: `-e NAME` alone means one of them
 */
export function readDockerOptions(args: readonly string[], given: readonly string[] = []): DockerOptions {
  const findings: Finding[] = [];
  const problem = (index: number, message: string) => findings.push({ path: [index], message });
  const env = new Map<string, string>();
  let index = 0;
  for (; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (!arg.startsWith('-')) break;
    if (granted.has(arg)) continue;
    if (arg === '-e') {
      index++;
      const [, key, value] = /^([^=]+)=([\s\S]*)$/.exec(args[index] ?? '') ?? [];
      if (key !== undefined && value !== undefined) env.set(key, value);
      else if (!given.includes(args[index] ?? ''))
        problem(
          index,
          '-e takes a variable from the shell of a client: write -e NAME=value, or use env alone',
        );
      continue;
    }
    const why =
      reasons.find(([pattern]) => pattern.test(arg))?.[1] ??
      'cannot be converted: -i, --rm, --init and -e NAME=value can';
    problem(index, `${arg} ${why}`);
    if (takesValue(arg, args[index + 1])) index++;
  }
  return { env, end: index, findings };
}

/** The arguments of `docker` in a desktop client's entry. @param given as for `readDockerOptions` */
export function readDockerRun(
  args: readonly string[],
  given: readonly string[] = [],
): {
  readonly run: DockerRun | null;
  readonly findings: Finding[];
} {
  if (args[0] !== 'run') {
    const message = 'must be run: nothing else of docker can be converted';
    return { run: null, findings: [{ path: ['args', 0], message }] };
  }
  const rest = args.slice(1);
  const { env, end, findings: problems } = readDockerOptions(rest, given);
  const findings = problems.map(({ path, message }) => ({ path: ['args', Number(path[0]) + 1], message }));
  const image = rest[end];
  if (image === undefined) {
    findings.push({ path: ['args', args.length - 1], message: 'the image is missing' });
    return { run: null, findings };
  }
  return { run: { image, args: rest.slice(end + 1), env }, findings };
}

/** Only to find the image behind a refused option: the entry is refused in any case. */
function takesValue(option: string, next: string | undefined): boolean {
  if (option.includes('=') || next === undefined || next.startsWith('-')) return false;
  return !/^(-d|-t|-P|-it|-ti|--detach|--tty|--privileged|--read-only|--interactive|--publish-all|-q|--quiet)$/.test(
    option,
  );
}

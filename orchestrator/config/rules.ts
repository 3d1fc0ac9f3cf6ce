import type { PortRange } from './port-range.ts';
import type { Finding } from './problem.ts';
import type { RawObject } from './raw.ts';
import { remoteFindings } from './remote.ts';
import { scalingFindings } from './scaling.ts';

const sources = ['npm', 'pypi', 'image', 'build', 'url'] as const;

export type RuleContext = {
  readonly origin: 'file' | 'api';
  readonly portRange: PortRange;
  /** Ports of other servers, and whose they are. */
  readonly usedPorts: ReadonlyMap<number, string>;
};

/**
 * What one key says about another. Looks at the entry as written, so that these problems are reported together
 * with those of the single values, not after they are mended.
 */
export function ruleFindings(entry: RawObject, context: RuleContext): Finding[] {
  return [
    ...sourceFindings(entry, context),
    ...programFindings(entry),
    ...dataFindings(entry),
    ...runtimeFindings(entry),
    ...portFindings(entry, context),
    ...scalingFindings(entry),
    ...remoteFindings(entry),
  ];
}

function sourceFindings(entry: RawObject, { origin }: RuleContext): Finding[] {
  const given = sources.filter((key) => Object.hasOwn(entry, key));
  const [first, ...others] = given;
  if (first === undefined) return [{ path: [], message: `needs one of ${sources.join(', ')}` }];
  const findings: Finding[] = others.map((key) => ({
    path: [key],
    message: `${first} is given already: a server has exactly one of ${sources.join(', ')}`,
    at: 'key',
  }));
  if (origin === 'api' && given.includes('build')) {
    findings.push({
      path: ['build'],
      message: 'names a directory of the host: only gantry.yaml can build',
      at: 'key',
    });
  }
  return findings;
}

function programFindings(entry: RawObject): Finding[] {
  const installed = Object.hasOwn(entry, 'npm') || Object.hasOwn(entry, 'pypi');
  const imaged = Object.hasOwn(entry, 'image') || Object.hasOwn(entry, 'build');
  const findings: Finding[] = [];
  if (Object.hasOwn(entry, 'bin') && imaged && !installed) {
    findings.push({ path: ['bin'], message: 'is for npm and pypi: use command', at: 'key' });
  }
  if (Object.hasOwn(entry, 'command') && installed && !imaged) {
    findings.push({ path: ['command'], message: 'is for image and build: use bin and args', at: 'key' });
  }
  return findings;
}

function dataFindings(entry: RawObject): Finding[] {
  if (!Object.hasOwn(entry, 'data') || entry.sharing !== 'call') return [];
  return [
    {
      path: ['data'],
      message: 'cannot be kept under sharing: call, where every call has a container of its own',
      at: 'key',
    },
  ];
}

function runtimeFindings(entry: RawObject): Finding[] {
  if (entry.runtime !== 'runsc' || entry.network !== 'internet') return [];
  return [
    { path: ['runtime'], message: 'runsc has no network here: it goes with network: none alone', at: 'key' },
  ];
}

function portFindings({ port }: RawObject, { portRange, usedPorts }: RuleContext): Finding[] {
  if (typeof port !== 'number' || !Number.isInteger(port)) return [];
  const { first, last } = portRange;
  if (port < first || port > last) {
    return [{ path: ['port'], message: `must be one of the published ports ${first} to ${last}` }];
  }
  const owner = usedPorts.get(port);
  return owner === undefined
    ? []
    : [{ path: ['port'], message: `${port} is the port of "${owner}" already` }];
}

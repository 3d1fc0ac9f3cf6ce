import { didYouMean } from './nearest.ts';
import type { Finding, Path } from './problem.ts';
import { isObject } from './raw.ts';

/** Who waits for whom, as written, and where that stands. */
export type Dependent = { readonly at: Path; readonly dependsOn: readonly unknown[] };

/** The `dependsOn` of an entry that nobody has checked yet. */
export function writtenDependsOn(raw: unknown): readonly unknown[] {
  return isObject(raw) && Array.isArray(raw.dependsOn) ? raw.dependsOn : [];
}

/**
 * Names that no server has, and circles: nothing in a circle could ever start. Each circle is reported once, at the name
 * that closes it.
 * @param servers all of them, by name
 */
export function dependencyFindings(servers: ReadonlyMap<string, Dependent>): Finding[] {
  const findings: Finding[] = [];
  const over = new Set<string>();
  const visit = (name: string, way: readonly string[]): void => {
    const { at, dependsOn } = servers.get(name) ?? { at: [], dependsOn: [] };
    for (const [index, other] of dependsOn.entries()) {
      if (typeof other !== 'string') continue; // the schema says so
      const path = [...at, 'dependsOn', index];
      const from = way.indexOf(other);
      if (!servers.has(other)) findings.push({ path, message: unknown(other, [...servers.keys()]) });
      else if (from >= 0) findings.push({ path, message: circle([...way.slice(from), other]) });
      else if (!over.has(other)) visit(other, [...way, other]);
    }
    over.add(name);
  };
  for (const name of servers.keys()) if (!over.has(name)) visit(name, [name]);
  return findings;
}

/**
 * The same for one server that comes to others, which are as they are. Paths are relative to it.
 * @param others what all other servers depend on, by name
 */
export function ownDependencyFindings(
  name: string,
  dependsOn: readonly string[],
  others: ReadonlyMap<string, readonly string[]>,
): Finding[] {
  return dependsOn.flatMap((other, index): Finding[] => {
    const path = ['dependsOn', index];
    if (other !== name && !others.has(other)) {
      return [{ path, message: unknown(other, [...others.keys()]) }];
    }
    const way = wayTo(name, other, others);
    return way === null ? [] : [{ path, message: circle([name, ...way]) }];
  });
}

/** From one server to another by what they depend on, both ends included. */
function wayTo(
  end: string,
  start: string,
  others: ReadonlyMap<string, readonly string[]>,
): readonly string[] | null {
  const before = new Map<string, string | null>([[start, null]]);
  for (const name of before.keys()) {
    if (name === end) {
      const way: string[] = [];
      for (let step: string | null = end; step !== null; step = before.get(step) ?? null) way.unshift(step);
      return way;
    }
    for (const next of others.get(name) ?? []) if (!before.has(next)) before.set(next, name);
  }
  return null;
}

function circle(names: readonly string[]): string {
  return `closes a circle in which nothing could start: ${names.join(' → ')}`;
}

function unknown(name: string, known: readonly string[]): string {
  return `there is no server "${name}".${didYouMean(name, known)}`;
}

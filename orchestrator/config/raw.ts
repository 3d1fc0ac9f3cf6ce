import type { Finding, Path } from './problem.ts';

/** A JSON object as somebody wrote it, nothing known about its content. */
export type RawObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Far more than any configuration needs; a document that refers to itself ends here, too. */
const maxDepth = 32;

/**
 * What must not reach any later step: keys that change prototypes (`__proto__` arrives as a key of its own from
 * JSON and YAML, and turns into a prototype in the first careless copy), and absurd nesting. Every object is
 * looked at once: through YAML aliases a small document can refer to one object a million times, or to itself.
 */
export function dangers(value: unknown): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<object>();
  const look = (item: unknown, path: Path): void => {
    if (typeof item !== 'object' || item === null || seen.has(item)) return;
    seen.add(item);
    if (path.length > maxDepth) {
      findings.push({ path, message: `is nested over ${maxDepth} levels` });
      return;
    }
    if (Array.isArray(item)) for (const [index, inner] of item.entries()) look(inner, [...path, index]);
    else
      for (const [key, inner] of Object.entries(item)) {
        if (key !== '__proto__') look(inner, [...path, key]);
        else findings.push({ path: [...path, key], message: 'is not a name that can be used', at: 'key' });
      }
  };
  look(value, []);
  return findings;
}

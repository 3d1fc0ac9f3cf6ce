import { scanJson } from '../../kernel/index.ts';

/**
 * The JSON text of an object with some members replaced or added; every other one keeps its text, because a number
 * beyond 2^53 would not survive being parsed and written again. A text that is no object is returned as it is.
 * @param members JSON text by key; null leaves the member out.
 */
export function withMembers(objectText: string, members: Readonly<Record<string, string | null>>): string {
  if (!objectText.startsWith('{')) return objectText;
  // The text came through JSON.parse before, with a depth that was checked: only the members are wanted here.
  const scan = scanJson(objectText);
  if (!scan.ok) return objectText;
  const texts = new Map<string, string | null>([...scan.members, ...Object.entries(members)]);
  const parts: string[] = [];
  for (const [key, text] of texts) if (text !== null) parts.push(`${JSON.stringify(key)}:${text}`);
  return `{${parts.join(',')}}`;
}

/** The text of one member, or null where there is none. */
export function memberOf(objectText: string, key: string): string | null {
  const scan = scanJson(objectText);
  return (scan.ok && scan.members.get(key)) || null;
}

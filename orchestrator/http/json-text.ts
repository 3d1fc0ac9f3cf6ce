import { GantryError, MAX_JSON_DEPTH, messageOf, scanJson } from '../kernel/index.ts';

export type Json = {
  readonly text: string;
  readonly value: unknown;
};

/**
 * Text to value, strictly: nothing is repaired.
 * @throws GantryError parse_error when it is not JSON; invalid_request when it is deeper than 64 levels, repeats a
 * member of the outermost object, or has a key named `__proto__`
 */
export function parseJson(text: string): Json {
  // The scan comes first: it is the cheap way to notice text that is only brackets.
  const scan = scanJson(text);
  if (!scan.ok && scan.why === 'too_deep') {
    throw new GantryError('invalid_request', `The body is nested deeper than ${MAX_JSON_DEPTH} levels.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new GantryError('parse_error', `The body is not JSON: ${positionOf(error)}`, { cause: error });
  }
  if (!scan.ok) throw new GantryError('invalid_request', 'The body has a member twice.');
  // An escaped key is rare; only then is a walk needed for a text without the literal name.
  if ((text.includes('__proto__') || text.includes('\\u005')) && hasProtoKey(value)) {
    throw new GantryError('invalid_request', 'The body has a key named "__proto__".');
  }
  return { text, value };
}

/** V8 quotes the text it stumbled over; a body may hold secrets, so only the place is passed on. */
function positionOf(error: unknown): string {
  const position = /at position \d+(?: \(line \d+ column \d+\))?/.exec(messageOf(error));
  return position === null
    ? 'it ends too early or holds something unexpected.'
    : `unexpected text ${position[0]}.`;
}

/** Recursion is safe: the depth was checked before. */
function hasProtoKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some(hasProtoKey);
}

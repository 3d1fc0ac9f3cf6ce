/** Nesting beyond this is refused in both directions: `JSON.stringify` throws at about 10,000 levels, and nobody needs 64. */
export const MAX_JSON_DEPTH = 64;

/** Where a value stands in its text, without the white space around it; `end` is the first character behind it. */
export type Span = { readonly start: number; readonly end: number };

export type JsonScan =
  | {
      readonly ok: true;
      /** Each member of the outermost object, by decoded key. */
      readonly spans: ReadonlyMap<string, Span>;
      /** The same as exact texts, cut out when they are asked for. */
      readonly members: ReadonlyMap<string, string>;
    }
  | { readonly ok: false; readonly why: 'too_deep' | 'duplicate_key' | 'malformed' };

/**
 * Walks JSON text once, before it is parsed: measures the depth and finds the members of the outermost object.
 * It does not check the grammar, `JSON.parse` does; only the two together say that a text is sound.
 * Members are told by their text, because numbers beyond 2^53 do not survive parse and stringify.
 * A text whose outermost value is not an object has no members.
 */
export function scanJson(text: string, maxDepth: number = MAX_JSON_DEPTH): JsonScan {
  const spans = new Map<string, Span>();
  let depth = 0;
  let outermostIsObject = false;
  let key: string | null = null;
  let stringStart = -1;
  let valueStart = -1;

  const endMember = (end: number): boolean => {
    if (key === null || valueStart < 0) return true;
    if (spans.has(key)) return false;
    spans.set(key, trimmed(text, valueStart, end));
    key = null;
    valueStart = -1;
    return true;
  };

  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const end = endOfString(text, i);
      if (end < 0) return { ok: false, why: 'malformed' };
      if (depth === 1 && outermostIsObject && valueStart < 0) stringStart = i;
      i = end;
      if (stringStart >= 0) {
        const decoded = decodeKey(text.slice(stringStart, end + 1));
        if (decoded === null) return { ok: false, why: 'malformed' };
        key = decoded;
        stringStart = -1;
      }
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth++;
      if (depth > maxDepth) return { ok: false, why: 'too_deep' };
      if (depth === 1) outermostIsObject = code === OPEN_BRACE;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 1 && !endMember(i)) return { ok: false, why: 'duplicate_key' };
      depth--;
    } else if (depth === 1 && outermostIsObject) {
      if (code === COLON && valueStart < 0) valueStart = i + 1;
      else if (code === COMMA && !endMember(i)) return { ok: false, why: 'duplicate_key' };
    }
  }
  return {
    ok: true,
    spans,
    get members() {
      return new Map([...spans].map(([name, { start, end }]) => [name, text.slice(start, end)]));
    },
  };
}

function trimmed(text: string, from: number, to: number): Span {
  let [start, end] = [from, to];
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return { start, end };
}

/** JSON's own white space: space, newline, carriage return, tab. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** The index of the quote that ends the string begun at `start`, or -1. Jumps from quote to quote: most text is strings. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}

function decodeKey(quoted: string): string | null {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return null; // a bad escape: the caller says malformed
  }
}

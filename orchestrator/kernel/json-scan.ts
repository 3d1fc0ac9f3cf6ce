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
  let valueStart = -1;

  // Every message goes through here: one loop without closures, at the price of its length.
  const { length } = text;
  for (let i = 0; i < length; i++) {
    const code = codeAt(text, i);
    if (code === QUOTE) {
      const end = endOfString(text, i);
      if (end < 0) return { ok: false, why: 'malformed' };
      if (depth === 1 && outermostIsObject && valueStart < 0) {
        key = decodeKey(text, i, end);
        if (key === null) return { ok: false, why: 'malformed' };
      }
      i = end;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth++;
      if (depth > maxDepth) return { ok: false, why: 'too_deep' };
      if (depth === 1) outermostIsObject = code === OPEN_BRACE;
    } else if (depth === 1 && code === COLON) {
      if (outermostIsObject && valueStart < 0) valueStart = i + 1;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET || code === COMMA) {
      if (depth === 1 && outermostIsObject && key !== null && valueStart >= 0) {
        if (spans.has(key)) return { ok: false, why: 'duplicate_key' };
        spans.set(key, trimmed(text, valueStart, i));
        key = null;
        valueStart = -1;
      }
      if (code !== COMMA) depth--;
    }
  }
  return new Scanned(text, spans);
}

/**
 * The exact text of each element of an array. Only for text that `JSON.parse` has taken and whose outermost value
 * is an array: the grammar is not checked here.
 */
export function elementTexts(text: string): readonly string[] {
  const elements: string[] = [];
  let depth = 0;
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    const code = codeAt(text, i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      if (++depth === 1) start = i + 1;
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) {
      if (--depth === 0) elements.push(text.slice(start, i).trim());
    } else if (code === COMMA && depth === 1) {
      elements.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  return elements.length === 1 && elements[0] === '' ? [] : elements;
}

class Scanned {
  readonly ok = true;
  readonly spans: ReadonlyMap<string, Span>;
  readonly #text: string;

  constructor(text: string, spans: ReadonlyMap<string, Span>) {
    this.#text = text;
    this.spans = spans;
  }

  get members(): ReadonlyMap<string, string> {
    return new Map([...this.spans].map(([key, { start, end }]) => [key, this.#text.slice(start, end)]));
  }
}

function trimmed(text: string, from: number, to: number): Span {
  let [start, end] = [from, to];
  while (start < end && isSpace(codeAt(text, start))) start++;
  while (end > start && isSpace(codeAt(text, end - 1))) end--;
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

/** Most strings are short, and a call out of the loop costs more than so many characters in it. */
const SHORT = 64;

/**
 * As `text.charCodeAt(at)`. V8 looks up a method of a string by the string's representation, of which there are more than
 * it remembers: where it has seen slices, ropes and wide strings it would look up the method for each character.
 */
const codeAt = Function.prototype.call.bind(String.prototype.charCodeAt) as (
  text: string,
  at: number,
) => number;

/** The index of the quote that ends the string begun at `start`, or -1. Jumps from quote to quote where it is long. */
function endOfString(text: string, start: number): number {
  const near = Math.min(text.length, start + SHORT);
  for (let i = start + 1; i < near; i++) {
    const code = codeAt(text, i);
    if (code === QUOTE) return i;
    if (code === BACKSLASH) i++;
  }
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (codeAt(text, end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}

/** The key between two quotes, or null where an escape in it is none. */
function decodeKey(text: string, quote: number, end: number): string | null {
  for (let i = quote + 1; i < end; i++) {
    if (codeAt(text, i) !== BACKSLASH) continue;
    try {
      return JSON.parse(text.slice(quote, end + 1)) as string;
    } catch {
      return null; // the caller says malformed
    }
  }
  return text.slice(quote + 1, end);
}

/**
 * The exact text of each element of an array. Only for text that `JSON.parse` has taken and whose outermost value
 * is an array: the grammar is not checked here.
 */
export function elementTexts(text: string): readonly string[] {
  const elements: string[] = [];
  let depth = 0;
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') i = endOfString(text, i);
    else if (char === '[' || char === '{') {
      if (++depth === 1) start = i + 1;
    } else if (char === ']' || char === '}') {
      if (--depth === 0) elements.push(text.slice(start, i).trim());
    } else if (char === ',' && depth === 1) {
      elements.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  return elements.length === 1 && elements[0] === '' ? [] : elements;
}

/** The index of the quote that ends the string begun at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

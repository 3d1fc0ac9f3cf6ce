/** Clients of one kind send the same header with every request; more kinds than this are not worth remembering. */
const MAX_KEPT = 64;

/**
 * The same check, which a text that has passed it once passes without being looked at again. Only for checks that say
 * the same of a text every time.
 */
export function passedBefore(check: (text: string) => void): (text: string) => void {
  const passed = new Set<string>();
  let last: string | null = null; // a comparison costs less than a look-up, and mostly one kind sends many
  return (text) => {
    if (text === last) return;
    if (!passed.has(text)) check(text);
    if (passed.size < MAX_KEPT) passed.add(text);
    last = text;
  };
}

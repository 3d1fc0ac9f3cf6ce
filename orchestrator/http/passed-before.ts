/** Clients of one kind send the same header with every request; more kinds than this are not worth remembering. */
const MAX_KEPT = 64;

/**
 * The same check, which a text that has passed it once passes without being looked at again. Only for checks that say
 * the same of a text every time.
 */
export function passedBefore(check: (text: string) => void): (text: string) => void {
  const passed = new Set<string>();
  return (text) => {
    if (passed.has(text)) return;
    check(text);
    if (passed.size < MAX_KEPT) passed.add(text);
  };
}

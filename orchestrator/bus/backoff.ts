/** Half a second, doubled each time: a replica that died is replaced within seconds. */
const FIRST_MS = 500;
/** Who waits longer than this notices neither that a server is back nor that Redis is. */
const LONGEST_MS = 30_000;

/** The pause before try number `tries` + 1, spread over its upper half so that many do not come back at once. */
export function backoffMs(tries: number, random: () => number): number {
  const full = Math.min(FIRST_MS * 2 ** Math.max(0, tries - 1), LONGEST_MS);
  return Math.round(full * (0.5 + random() / 2));
}

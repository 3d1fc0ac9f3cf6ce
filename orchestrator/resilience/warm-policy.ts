/** How many of the latest handshakes count. */
export const HELLOS_KEPT = 20;

/**
 * For which handshakes spares should be greeted in advance. A greeted spare serves only clients that say the very
 * same (capabilities are settled by the handshake), one that is not serves anybody; so each handshake gets the whole
 * part of its share in the latest ones and the rest stays open. With one spare that means: greeted only while
 * everybody says the same.
 *
 * @param hellos the latest handshakes, as keys
 * @param spares how many spares there are to be
 * @returns how many spares by key, none of them 0; together never more than `spares`
 */
export function planGreetings(hellos: readonly string[], spares: number): ReadonlyMap<string, number> {
  const plan = new Map<string, number>();
  for (const [hello, same] of Map.groupBy(hellos, (key) => key)) {
    const count = Math.floor((spares * same.length) / hellos.length);
    if (count > 0) plan.set(hello, count);
  }
  return plan;
}

/** Callers at the same time share one run; later ones start another. */
export function shared<T>(run: () => Promise<T>): () => Promise<T> {
  let underway: Promise<T> | null = null;
  return () => {
    underway ??= run().finally(() => {
      underway = null;
    });
    return underway;
  };
}

/**
 * Sizes as people write them: bytes, or a number with a binary unit in the spelling of the IEC (`256MiB`), of
 * Kubernetes (`256Mi`) or of Docker (`256m`). `256MB` and `256M` are refused: Docker takes them for powers of
 * 1024, Kubernetes for powers of 1000, and a limit must not depend on who reads it.
 */
export const sizePattern = /^(\d+(?:\.\d+)?)(b|[kmg]|[KMG]i|[KMG]iB)?$/;

const exponentOf: Readonly<Record<string, number>> = { b: 0, k: 1, m: 2, g: 3 };

/** Bytes, or null when it is no size of whole bytes that a number can hold. */
export function parseSize(value: string | number): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null;
  const match = sizePattern.exec(value);
  if (match === null) return null;
  const unit = (match[2] ?? 'b').charAt(0).toLowerCase();
  const bytes = Number(match[1]) * 1024 ** (exponentOf[unit] ?? 0);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The largest binary unit that leaves a whole number. */
export function sizeText(bytes: number): string {
  if (bytes > 0 && bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}MiB`;
  return bytes > 0 && bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes} bytes`;
}

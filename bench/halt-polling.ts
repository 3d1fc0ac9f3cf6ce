import { writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';

/** How long an idle processor of a KVM guest looks for work before it halts, in nanoseconds. */
const PARAMETER = '/sys/module/haltpoll/parameters/guest_halt_poll_ns';
/** The kernel's own default (Linux, virt/guest-halt-polling). */
const USUAL_NS = 200_000;

/** As the machine has it, 0 where its processors halt at once; null where it is no such guest. */
export async function haltPollNs(parameter: string = PARAMETER): Promise<number | null> {
  const text = await readFile(parameter, 'utf8').catch(() => null);
  return text === null ? null : Number(text);
}

/** For the line that says which machine it was; null where there is nothing to say. */
export function haltPollText(ns: number | null | undefined): string | null {
  if (ns === null || ns === undefined) return null;
  return ns === 0 ? 'halt polling off' : `halt polling ${ns / 1000} µs`;
}

/**
 * Acts with processors that look for work as long as the kernel means them to, and leaves the machine as it was, also
 * when the process is told to end meanwhile.
 * @returns null where that cannot be set: another kind of machine, or not root
 */
export async function withHaltPolling<T>(
  act: () => Promise<T>,
  parameter: string = PARAMETER,
): Promise<T | null> {
  const before = await haltPollNs(parameter);
  if (before === null) return null;
  const isSet = await writeFile(parameter, String(USUAL_NS)).then(
    () => true,
    () => false,
  );
  if (!isSet) return null;
  const restore = (): void => writeFileSync(parameter, String(before));
  const stop = (): void => process.exit(1); // and with it `restore`
  process.once('exit', restore).once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await act();
  } finally {
    process.off('exit', restore).off('SIGINT', stop).off('SIGTERM', stop);
    restore();
  }
}

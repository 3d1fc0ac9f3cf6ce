import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';

/** Where the kernel has it (Linux, virt/guest-halt-polling). */
const KERNEL = {
  governor: '/sys/devices/system/cpu/cpuidle/current_governor',
  /** How long an idle processor looks for work at most before it halts, in nanoseconds. */
  limit: '/sys/module/haltpoll/parameters/guest_halt_poll_ns',
  /** Without this it would go on looking after the limit is back to 0. */
  shrinks: '/sys/module/haltpoll/parameters/guest_halt_poll_allow_shrink',
};
export type HaltPollingFiles = typeof KERNEL;

/** The kernel's own default. */
const USUAL_NS = 200_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** As the machine has it, 0 where its processors halt at once; null where something else decides when they halt. */
export function haltPollNs(files: HaltPollingFiles = KERNEL): number | null {
  const limit = read(files.limit);
  return limit !== null && read(files.governor) === 'haltpoll' ? Number(limit) : null;
}

/** For the line that says which machine it was; null where there is nothing to say. */
export function haltPollText(ns: number | null | undefined): string | null {
  if (ns === null || ns === undefined) return null;
  return ns === 0 ? 'halt polling off' : `halt polling up to ${ns / 1000} µs`;
}

/** Whether `withHaltPolling` would change anything, and could: the machine has it off, and lets us. */
export function canPoll(files: HaltPollingFiles = KERNEL): boolean {
  if (haltPollNs(files) !== 0 || read(files.shrinks) !== 'Y') return false;
  try {
    accessSync(files.limit, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Acts with the kernel's own default and sets back what was there, also when this process is told to end meanwhile. */
export async function withHaltPolling<T>(
  act: () => Promise<T>,
  files: HaltPollingFiles = KERNEL,
): Promise<T> {
  const before = read(files.limit) ?? '0';
  const restore = (): void => writeFileSync(files.limit, before);
  const stop = (signal: NodeJS.Signals): void => {
    restore();
    process.exit(128 + os.signals[signal]);
  };
  // Not `once`: npm passes ^C on a second time, and without a listener that would end the process before it has restored.
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    writeFileSync(files.limit, String(USUAL_NS));
    return await act();
  } finally {
    restore();
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null; // another kind of machine
  }
}

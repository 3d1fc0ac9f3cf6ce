import type { FakeProgram } from '../fakes/fake-engine.ts';

/** The programs of the engine contract: for a real engine as shell, for the fake as functions. */
export type ProgramName = keyof typeof shellPrograms;

const FLOOD_BYTES = 8 * 1024 * 1024;

export const shellPrograms = {
  /** Copies stdin to stdout until the end of input. */
  echo: 'exec cat',
  both: 'echo out; echo err >&2',
  'exit-3': 'exit 3',
  sleep: 'exec sleep 600',
  /** Says when it no longer minds TERM. */
  stubborn: 'trap "" TERM; echo ready; while :; do sleep 1; done',
  /** tail keeps everything that has no newline in memory. */
  hog: 'exec tail /dev/zero',
  flood: `exec head -c ${FLOOD_BYTES} /dev/zero`,
} as const;

export const fakePrograms: Readonly<Record<ProgramName, FakeProgram>> = {
  echo(io) {
    io.onBytes((bytes) => io.stdout(bytes));
    io.onEnd(() => io.exit(0));
  },
  both(io) {
    io.stdout('out\n');
    io.stderr('err\n');
    io.exit(0);
  },
  'exit-3': (io) => io.exit(3),
  sleep: () => {},
  stubborn(io) {
    io.onTerm(() => {});
    io.stdout('ready\n');
  },
  hog: (io) => io.outOfMemory(),
  flood(io) {
    io.stdout(Buffer.alloc(FLOOD_BYTES));
    io.exit(0);
  },
};

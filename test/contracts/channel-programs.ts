import type { FakeProgram } from '../fakes/fake-process.ts';

/** The programs of the channel contract: for a real process as shell, for the fakes as functions. */
export type ProgramName = keyof typeof shellPrograms;

export const FLOOD_LINES = 200_000;
export const STDERR_FLOOD_BYTES = 8 * 1024 * 1024;
export const LONG_LINE_BYTES = 300_000;

export const shellPrograms = {
  /** Copies stdin to stdout until the end of input. */
  echo: 'exec cat',
  both: 'echo out; echo err >&2; exec cat',
  'exit-3': 'exit 3',
  'half-line': "printf 'whole\\nhalf'",
  flood: `exec seq ${FLOOD_LINES}`,
  'stderr-flood': `head -c ${STDERR_FLOOD_BYTES} /dev/zero | tr '\\0' x >&2; echo >&2; echo last words >&2; echo done`,
  'long-line': `head -c ${LONG_LINE_BYTES} /dev/zero | tr '\\0' x; echo; exec cat`,
  /** Never reads. */
  deaf: 'exec sleep 600',
} as const;

export const fakePrograms: Readonly<Record<ProgramName, FakeProgram>> = {
  echo,
  both(io) {
    io.stdout('out\n');
    io.stderr('err\n');
    echo(io);
  },
  'exit-3': (io) => io.exit(3),
  'half-line'(io) {
    io.stdout('whole\nhalf');
    io.exit(0);
  },
  flood(io) {
    for (let start = 0; start < FLOOD_LINES; start += 1000) {
      io.stdout(Array.from({ length: 1000 }, (_, index) => `${start + index + 1}\n`).join(''));
    }
    io.exit(0);
  },
  'stderr-flood'(io) {
    io.stderr(Buffer.alloc(STDERR_FLOOD_BYTES, 'x'));
    io.stderr('\nlast words\n');
    io.stdout('done\n');
    io.exit(0);
  },
  'long-line'(io) {
    io.stdout(`${'x'.repeat(LONG_LINE_BYTES)}\n`);
    echo(io);
  },
  deaf: () => {},
};

function echo(io: Parameters<FakeProgram>[0]): void {
  io.onBytes((bytes) => io.stdout(bytes));
  io.onEnd(() => io.exit(0));
}

import test from 'ava';
import fc from 'fast-check';
import { FRAME, FrameError, FrameReader, HEADER_BYTES } from '../../orchestrator/channel/socket/frames.ts';

type Seen = { readonly type: number; readonly bytes: string };

/** Everything that is found, pieces of one kind that follow one another as one. */
function reader(): { readonly frames: FrameReader; readonly seen: Seen[] } {
  const seen: Seen[] = [];
  const frames = new FrameReader({
    onPiece: (type, piece) => {
      const before = seen.at(-1);
      const bytes = piece.toString('hex');
      if (before?.type === type) seen[seen.length - 1] = { type, bytes: before.bytes + bytes };
      else seen.push({ type, bytes });
    },
    onFrame: (type, payload) => seen.push({ type, bytes: payload.toString('hex') }),
  });
  return { frames, seen };
}

function frame(type: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = type;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const anyFrame = fc.oneof(
  fc.tuple(
    fc.constantFrom(FRAME.output, FRAME.stderr),
    fc.integer({ min: 1, max: 300 }).chain((length) => bytes(length)),
  ),
  fc.tuple(fc.constantFrom(FRAME.stderrLost, FRAME.taken, FRAME.exit), bytes(8)),
  fc.tuple(fc.constant(FRAME.outputEnd), bytes(0)),
);

test('frames are the same however they are sliced', (t) => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 20 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 60 })),
      (all, sizes) => {
        const whole = Buffer.concat(all.map(([type, payload]) => frame(type, payload)));
        const once = reader();
        once.frames.push(whole);
        const sliced = reader();
        for (let at = 0; at < whole.length; ) {
          const size = sizes.next().value ?? 1;
          sliced.frames.push(whole.subarray(at, at + size));
          at += size;
        }
        t.deepEqual(sliced.seen, once.seen);
        const sent = all.map(([, payload]) => Buffer.from(payload).toString('hex')).join('');
        t.is(once.seen.map((one) => one.bytes).join(''), sent);
      },
    ),
  );
});

test('whatever comes is frames or refused as none, and nothing else happens', (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }), (chunks) => {
      const { frames } = reader();
      try {
        for (const chunk of chunks) frames.push(Buffer.from(chunk));
      } catch (error) {
        t.true(error instanceof FrameError);
      }
    }),
    { numRuns: 500 },
  );
});

for (const [what, header] of [
  ['a frame of the owner', '1100000000000001'],
  ['a second hello', '010000000000003c'],
  ['an unknown type', '2a00000000000000'],
  ['a length that a type does not have', '0700000000000009'],
  ['output without bytes', '0200000000000000'],
  ['more than a bridge sends at once', '0200000000100001'],
  ['bytes where zeros belong', '0200010000000001'],
] as const) {
  test(`${what} is refused`, (t) => {
    t.throws(() => reader().frames.push(Buffer.from(header, 'hex')), { instanceOf: FrameError });
  });
}

import test from 'ava';
import fc from 'fast-check';
import { DemuxError, Demuxer, type StreamKind } from '../../../orchestrator/engine/docker/demux.ts';

function frame(type: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(type, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** Everything a demuxer hands out for these chunks, joined per stream. */
function demux(chunks: readonly Buffer[]) {
  const out: Record<StreamKind, Buffer[]> = { stdout: [], stderr: [] };
  const demuxer = new Demuxer((kind, piece) => out[kind].push(piece));
  for (const chunk of chunks) demuxer.push(chunk);
  return { stdout: Buffer.concat(out.stdout), stderr: Buffer.concat(out.stderr), demuxer, out };
}

/** Cuts at the given places, whatever lies there. */
function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

/** Counts how often a chunk is cut and how many bytes are handed out, instead of measuring time. */
function counted(bytes: Buffer): { chunk: Buffer; work: { slices: number } } {
  const work = { slices: 0 };
  const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  Object.defineProperty(chunk, 'subarray', {
    value: (start: number, end: number) => {
      work.slices += 1;
      return bytes.subarray(start, end);
    },
  });
  return { chunk, work };
}

test('any cut of any sequence of frames gives the same bytes', (t) => {
  const frames = fc.array(
    fc.record({ type: fc.constantFrom(1, 2), payload: fc.uint8Array({ maxLength: 40 }) }),
  );
  const property = fc.property(frames, fc.array(fc.nat()), (sent, cuts) => {
    const bytes = Buffer.concat(sent.map(({ type, payload }) => frame(type, payload)));
    const got = demux(split(bytes, cuts));
    const expected = (type: number) =>
      Buffer.concat(sent.filter((one) => one.type === type).map((one) => one.payload));
    return (
      got.stdout.equals(expected(1)) && got.stderr.equals(expected(2)) && got.demuxer.atBoundary === true
    );
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});

test('arbitrary bytes end in a DemuxError or in output, never in anything else', (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat()), (bytes, cuts) => {
    try {
      demux(split(Buffer.from(bytes), cuts));
    } catch (error) {
      return error instanceof DemuxError;
    }
    return true;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});

test('a payload is handed out as it arrives, before its frame is complete', (t) => {
  const { stdout, demuxer } = demux([frame(1, Buffer.from('abcdef')).subarray(0, 11)]);
  t.is(stdout.toString(), 'abc');
  t.false(demuxer.atBoundary);
});

test('a chunk of 64 KiB of one-byte frames is one pass: one slice per frame', (t) => {
  const count = Math.floor((64 * 1024) / 9);
  const bytes = Buffer.concat(Array.from({ length: count }, (_, i) => frame(1, Buffer.from([i % 256]))));
  const { chunk, work } = counted(bytes);
  const { stdout } = demux([chunk]);
  t.is(stdout.length, count);
  t.is(work.slices, count);
});

test('a frame of 32 MiB in reads of 64 KiB is never copied: one slice per read, all of them views', (t) => {
  const size = 32 * 1024 * 1024;
  const bytes = frame(1, Buffer.alloc(size, 97));
  const pieces: Buffer[] = [];
  const demuxer = new Demuxer((_kind, piece) => pieces.push(piece));
  let slices = 0;
  let reads = 0;
  for (let offset = 0; offset < bytes.length; offset += 65_536) {
    const { chunk, work } = counted(bytes.subarray(offset, offset + 65_536));
    demuxer.push(chunk);
    slices += work.slices;
    reads += 1;
  }
  t.is(slices, reads);
  t.is(
    pieces.reduce((sum, piece) => sum + piece.length, 0),
    size,
  );
  t.true(pieces.every((piece) => piece.buffer === bytes.buffer));
  t.true(demuxer.atBoundary);
});

test('an error frame ends the stream with what the engine said', (t) => {
  const bytes = Buffer.concat([frame(1, Buffer.from('ok')), frame(3, Buffer.from('broken pipe'))]);
  const got: string[] = [];
  const demuxer = new Demuxer((_kind, piece) => got.push(piece.toString()));
  t.throws(() => demuxer.push(bytes), { instanceOf: DemuxError, message: /broken pipe/ });
  t.deepEqual(got, ['ok']);
});

test('an error frame is capped, and an empty one ends the stream too', (t) => {
  const error = t.throws(() => demux([frame(3, Buffer.alloc(100_000, 97))]), { instanceOf: DemuxError });
  t.true((error?.message.length ?? 0) < 2_000);
  t.throws(() => demux([frame(3, Buffer.alloc(0))]), { instanceOf: DemuxError });
});

for (const header of ['0400000000000001', '0101000000000001', '0100010000000001', '0100000100000001']) {
  test(`the header ${header} is refused`, (t) => {
    t.throws(() => demux([Buffer.from(header, 'hex')]), { instanceOf: DemuxError, message: /malformed/ });
  });
}

import type { Readable } from 'node:stream';

/** Longest line of engine output worth keeping; what is beyond it is dropped up to the next newline. */
const MAX_LINE_BYTES = 1024 * 1024;

/** The lines of a stream of the daemon's (events, build output), decoded whole. */
export async function* lines(stream: Readable): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let pending = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      pieces.push(chunk.subarray(start, end));
      const line = Buffer.concat(pieces).toString('utf8').trim();
      if (line !== '') yield line;
      pieces = [];
      pending = 0;
      start = end + 1;
    }
    if (start < chunk.length && pending < MAX_LINE_BYTES) {
      pieces.push(chunk.subarray(start));
      pending += chunk.length - start;
    }
  }
  const rest = Buffer.concat(pieces).toString('utf8').trim();
  if (rest !== '') yield rest;
}

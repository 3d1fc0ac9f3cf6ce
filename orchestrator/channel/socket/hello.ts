import { timingSafeEqual } from 'node:crypto';
import { FRAME, HEADER_BYTES } from './frames.ts';

/** Spoken by both sides; a bridge of an image that was built for another one is refused. */
const PROTOCOL_VERSION = 1;
const SECRET_BYTES = 32;
const PAYLOAD_BYTES = 4 + SECRET_BYTES + 3 * 8;
/** A bridge says no more before it is welcome. */
export const HELLO_BYTES = HEADER_BYTES + PAYLOAD_BYTES;

/** How far a bridge is, as it says itself once it has proven that it is the one. */
export type Hello = {
  /** Offset of the first byte of output that was not acknowledged. */
  readonly outputFirst: number;
  /** Offset behind the last byte of output that it has. */
  readonly outputEnd: number;
  /** Lines it has taken whole since its start: these reach the server, later ones never do. */
  readonly linesTaken: number;
};

/** @returns null where it is no hello of the replica with this secret */
export function readHello(bytes: Buffer, secret: Buffer): Hello | null {
  if (bytes.length !== HELLO_BYTES || bytes.readUInt32BE(0) !== FRAME.hello * 2 ** 24) return null;
  if (bytes.readUInt32BE(4) !== PAYLOAD_BYTES || bytes.readUInt32BE(HEADER_BYTES) !== PROTOCOL_VERSION)
    return null;
  const proof = HEADER_BYTES + 4;
  if (!timingSafeEqual(bytes.subarray(proof, proof + SECRET_BYTES), secret)) return null;
  const numberAt = (index: number): number => Number(bytes.readBigUInt64BE(proof + SECRET_BYTES + 8 * index));
  return { outputFirst: numberAt(0), outputEnd: numberAt(1), linesTaken: numberAt(2) };
}

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { GantryError } from '../kernel/index.ts';
import { type Json, parseJson } from './json-text.ts';
import { passedBefore } from './passed-before.ts';
import type { Exchange } from './request-state.ts';

/** A body that stops arriving is given up after so long; Node's `requestTimeout` bounds the whole. */
const IDLE_MS = 10_000;

/**
 * Reads a JSON body, refusing it as early as possible: by its headers, then by its size, then by its text.
 * @throws GantryError unsupported_media_type, body_too_large, parse_error, invalid_request, cancelled
 */
export async function readJson(
  exchange: Exchange,
  options: { readonly maxBytes: number; readonly types?: readonly string[]; readonly idleMs?: number },
): Promise<Json> {
  const { headers } = exchange.req;
  if (options.types === undefined) checkJsonType(headers['content-type'] ?? '');
  else checkContentType(headers['content-type'] ?? '', options.types);
  const encoding = headers['content-encoding'];
  // A compressed body would get past the byte cap.
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new GantryError('unsupported_media_type', 'Compressed request bodies are not accepted.');
  }
  const { maxBytes, idleMs = IDLE_MS } = options;
  const announced = announcedBytes(exchange, maxBytes);
  // Most bodies come with their headers and are here before the next turn: then there is nothing to listen for.
  await null;
  const isHere = exchange.req.readableLength === announced;
  const bytes = isHere ? readWhole(exchange.req) : await readArriving(exchange.req, maxBytes, idleMs);
  if (!isUtf8(bytes)) throw new GantryError('parse_error', 'The body is not valid UTF-8.');
  return parseJson(bytes.toString('utf8'));
}

/** True when the request announces no body at all: some routes take that for `{}`. */
export function hasNoBody({ req: { headers } }: Exchange): boolean {
  return headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
}

const checkJsonType = passedBefore((header) => checkContentType(header, ['application/json']));

function checkContentType(header: string, types: readonly string[]): void {
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  const charsetIsFine = parameters.every(
    (parameter) => !parameter.startsWith('charset=') || /^charset="?utf-?8"?$/.test(parameter),
  );
  if (types.includes(type) && charsetIsFine) return;
  throw new GantryError('unsupported_media_type', `Send the body as ${types.join(' or ')}, in UTF-8.`);
}

/** How long the body is to be; NaN where nobody said. */
function announcedBytes({ req, res }: Exchange, maxBytes: number): number {
  // Node has checked that the header is a plain number.
  const announced = Number(req.headers['content-length'] ?? Number.NaN);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  // The server leaves "100 Continue" to us, so that a body that will be refused is never sent.
  if (req.headers.expect !== undefined) res.writeContinue();
  return announced;
}

function readWhole(req: IncomingMessage): Buffer {
  const bytes: Buffer = req.read() ?? NOTHING;
  req.resume(); // to its end, which is all that is left
  return bytes;
}

const NOTHING = Buffer.alloc(0);

/** What comes piece by piece. */
function readArriving(req: IncomingMessage, maxBytes: number, idleMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const left = () => new GantryError('cancelled', 'The client left before its request was complete.');
    if (req.destroyed) return reject(left());
    const chunks: Buffer[] = [];
    let size = 0;
    let isSettled = false;
    const settle = (act: () => void) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(idle);
      act();
    };
    const giveUp = (error: GantryError) =>
      settle(() => {
        req.off('data', onData);
        req.pause();
        reject(error);
      });
    const stopped = () =>
      giveUp(new GantryError('invalid_request', `The body stopped arriving for ${idleMs} ms.`));
    const idle = setTimeout(stopped, idleMs);
    const onData = (chunk: Buffer) => {
      idle.refresh();
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else giveUp(tooLarge(maxBytes));
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks)));
    const onGone = () => settle(() => reject(left()));
    req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

function tooLarge(maxBytes: number): GantryError {
  return new GantryError('body_too_large', `The body is larger than ${maxBytes} bytes.`, {
    detail: { maxBytes },
  });
}

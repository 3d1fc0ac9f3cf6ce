import { GantryError } from '../kernel/index.ts';

/** What callers are told to wait before they come back. Short: places become free with every call that ends. */
const RETRY_AFTER_MS = 1000;

export function serverNotFound(server: string): GantryError {
  return new GantryError('server_not_found', `There is no server named ${server}.`, { detail: { server } });
}

export function noReplica(server: string): GantryError {
  return refusal(
    'no_replica',
    server,
    `No replica of server ${server} is ready. Its state and reason: GET /api/v1/servers/${server}.`,
  );
}

export function queueFull(server: string, queueSize: number): GantryError {
  const waiting = queueSize === 0 ? 'none may wait' : `${queueSize} wait already`;
  return refusal(
    'queue_full',
    server,
    `All replicas of server ${server} are busy and ${waiting} (balance.queueSize). Try again later.`,
    { queueSize },
  );
}

export function waitedTooLong(server: string, queueTimeoutMs: number): GantryError {
  return refusal(
    'no_replica',
    server,
    `No replica of server ${server} became free within ${queueTimeoutMs} ms (balance.queueTimeoutMs). Try again later.`,
    { queueTimeoutMs },
  );
}

export function handshakeRefused(server: string, why: string): GantryError {
  return new GantryError('replica_failed', `Server ${server} refused the handshake: ${why}`, {
    detail: { server, mayHaveRun: false },
  });
}

export function callerLeft(server: string): GantryError {
  return new GantryError('cancelled', 'The caller withdrew this call before it was sent.', {
    detail: { server, mayHaveRun: false },
  });
}

function refusal(
  code: 'no_replica' | 'queue_full',
  server: string,
  message: string,
  more: Record<string, unknown> = {},
): GantryError {
  return new GantryError(code, message, {
    detail: { server, ...more, mayHaveRun: false, retryAfterMs: RETRY_AFTER_MS },
  });
}

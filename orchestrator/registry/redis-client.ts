import { Redis } from 'ioredis';

/** A Redis beside us answers in under a millisecond, so two seconds of silence mean that it will not. */
const defaultTimeoutMs = 2000;
/** Pauses between attempts to reconnect: 100 ms more each time, so that a restart of Redis is over in seconds. */
const reconnectStepMs = 100;
const longestReconnectMs = 2000;

/**
 * A connection that is made with the first `connect` and made again by itself. While it is down, commands fail at
 * once instead of queueing: a request that waits for Redis would only move the failure somewhere harder to see.
 * @param timeoutMs longest wait for a connection, and for the answer to one command
 */
export function redisClient(url: string, timeoutMs = defaultTimeoutMs): Redis {
  return new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    // A command that was cut off is not sent again behind the caller's back.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    retryStrategy: (attempt) => Math.min(attempt * reconnectStepMs, longestReconnectMs),
    // `info` on connect would need a right that the stack's Redis user may lack.
    enableReadyCheck: false,
  });
}

export async function closeRedis(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') return redis.disconnect();
  try {
    await redis.quit();
  } catch {
    // Redis is gone: there is nobody to say goodbye to.
    redis.disconnect();
  }
}

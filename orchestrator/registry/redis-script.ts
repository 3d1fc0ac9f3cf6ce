import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

export type Script = (redis: Redis, key: string, args: readonly (string | number)[]) => Promise<unknown>;

/** A script of a directory beside this file: `common.lua` and its own text as one, run by its digest where Redis knows it. */
export function redisScript(directory: string, name: string): Script {
  const read = (file: string): string => readFileSync(join(import.meta.dirname, directory, file), 'utf8');
  const text = `${read('common.lua')}\n${read(`${name}.lua`)}`;
  const digest = createHash('sha1').update(text).digest('hex');
  // Arguments as one array: as many as a large batch of tasks has do not fit on the stack of one call.
  return async (redis, key, args) => {
    try {
      return await redis.call('evalsha', [digest, 1, key, ...args]);
    } catch (error) {
      // A Redis that was restarted has forgotten its scripts, not its data.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await redis.call('eval', [text, 1, key, ...args]);
    }
  };
}

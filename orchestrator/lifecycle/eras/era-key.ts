import type { ServerSpec } from '../../kernel/index.ts';
import { sha256 } from '../labels.ts';

/** 12 bits: too few to check a guess at a secret with, enough for a change to be noticed 4095 times of 4096. */
const VALUES_DIGITS = 3;

/**
 * What a verdict holds for: the content of the image, the program and its arguments, and the variables it is given,
 * since one of them may be what decides. Of their values only a trace goes in: they may be secrets, and the key is
 * stored.
 * @param imageId the digest, so that a tag that means something else now is asked anew.
 */
export function eraKey(
  imageId: string,
  command: readonly string[] | null,
  { args, env }: Pick<ServerSpec, 'args' | 'env'>,
): string {
  const names = Object.keys(env).sort();
  const values = sha256(JSON.stringify(names.map((name) => env[name]))).slice(0, VALUES_DIGITS);
  return sha256(JSON.stringify([imageId, command, args, names, values]));
}

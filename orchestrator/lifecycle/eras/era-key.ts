import type { ServerSpec } from '../../kernel/index.ts';
import { sha256 } from '../labels.ts';

/**
 * What a verdict holds for: the content of the image, the program and its arguments, and which settings it is given.
 * Their values are left out: they may be secrets, and change more often than what a program speaks.
 * @param imageId the digest, so that a tag that means something else now is asked anew.
 */
export function eraKey(
  imageId: string,
  command: readonly string[] | null,
  { args, env }: Pick<ServerSpec, 'args' | 'env'>,
): string {
  return sha256(JSON.stringify([imageId, command, args, Object.keys(env).sort()]));
}

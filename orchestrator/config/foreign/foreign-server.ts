import type { Path } from '../problem.ts';
import type { RawObject } from '../raw.ts';
import type { Token } from './arguments.ts';

/** A server of another format in Gantry's own form, still to be checked as every entry is. */
export type ForeignServer = {
  readonly name: string;
  /** Where its name stands in the document. */
  readonly nameAt: Path;
  /** Where it stands itself: its own problems are told there. */
  readonly at: Path;
  readonly entry: RawObject;
  /** Variables of `env` that hold a secret, as the document says. */
  readonly secretEnv: readonly string[];
  /** Headers that do. */
  readonly secretHeaders: readonly string[];
  /** Arguments that do, and addresses: everybody sees them. */
  readonly secretArgs: readonly Path[];
};

/** What of a server holds a secret. */
export type Secrets = Pick<ForeignServer, 'secretEnv' | 'secretHeaders' | 'secretArgs'>;

/** @param options of a `docker run`: a secret in `-e NAME=value` becomes a variable as well */
export function secretsOf(
  args: readonly Token[],
  env: ReadonlyMap<string, Token>,
  options: readonly Token[],
): Secrets {
  return {
    secretEnv: [
      ...[...env].filter(([, { isSecret }]) => isSecret).map(([name]) => name),
      ...options.filter(({ isSecret }) => isSecret).map(({ text }) => text.split('=')[0] ?? ''),
    ],
    secretHeaders: [],
    secretArgs: args.filter(({ isSecret }) => isSecret).map(({ at }) => at),
  };
}

import type { BenchEngine } from './engine.ts';
import type { Gateway } from './gateway.ts';
import type { Pace } from './side-by-side.ts';

/** What a chapter has to measure with. */
export type Bench = {
  readonly root: string;
  readonly gateway: Gateway;
  /** Null without the admin token or the docker command: then nothing can be deployed. */
  readonly engine: BenchEngine | null;
  readonly rounds: number;
  readonly pace: Pace;
  readonly isQuick: boolean;
  readonly say: (line: string) => void;
};

/** One part of the results: what is kept raw, and what is printed. */
export type Chapter = {
  readonly name: string;
  readonly needsEngine: boolean;
  /** Left out of a quick run, unless it is asked for by name. */
  readonly isSlow?: boolean;
  measure(bench: Bench): Promise<{ readonly result: unknown; readonly text: string } | null>;
};

/** A chapter whose result and table belong together. */
export function chapter<R>(
  name: string,
  options: { readonly needsEngine?: boolean; readonly isSlow?: boolean },
  measure: (bench: Bench & { readonly engine: BenchEngine }) => Promise<R | null>,
  show: (result: R) => string,
): Chapter {
  return {
    name,
    needsEngine: options.needsEngine ?? true,
    isSlow: options.isSlow ?? false,
    async measure(bench) {
      // A chapter that needs the engine is not asked without one; the others do not look.
      const result = await measure(bench as Bench & { readonly engine: BenchEngine });
      return result === null ? null : { result, text: show(result) };
    },
  };
}

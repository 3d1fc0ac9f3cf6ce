import { stripVTControlCharacters } from 'node:util';
import { EngineError } from '../../engine/index.ts';
import { type Reason, reason, type Source } from '../../kernel/index.ts';
import { StartFailure, startFailureOf } from '../start-failure.ts';
import { MARK } from './install-scripts.ts';

const OUTPUT_LINES = 12;

/** Says what went wrong in an install so that its user knows what to change. */
export function installFailure(error: unknown, source: Source): StartFailure {
  if (!(error instanceof EngineError) || !error.code.startsWith('build_')) return startFailureOf(error);
  const output = error.output;
  const message =
    error.code === 'build_timeout'
      ? 'The install took longer than it may and was ended.'
      : (knownProblem(output, source) ?? 'The install failed; the last lines of its output say why.');
  return new StartFailure(installFailed(message, output), { cause: error });
}

/** Whether a build ended because something could not be compiled: for want of a compiler, where there was none. */
export function hasNativeParts(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'build_failed' && GYP.test(error.output.join('\n'));
}

/** What node-gyp prints when it fails, whatever is missing: make, a compiler, or the headers of Node. */
const GYP = /\bgyp ERR!/;

/** The failure of the build that fetches the compiler for an npm package. */
export function noCompiler(error: unknown, name: string): unknown {
  if (!(error instanceof EngineError) || !error.code.startsWith('build_')) return error;
  const message = `The npm package ${name} has native parts, and what compiles them could not be fetched. It comes from Debian's mirror and from npm: check the network of the engine.`;
  return new StartFailure(installFailed(message, error.output), { cause: error });
}

function installFailed(message: string, output: readonly string[]): Reason {
  return reason('install_failed', message, { stderr: usefulLines(output) });
}

/** The patterns are those of npm 11 and pip 25. */
function knownProblem(output: readonly string[], source: Source): string | null {
  const text = output.join('\n');
  const what = 'name' in source ? `${source.kind} package ${source.name}` : 'image';
  const version = 'version' in source && source.version !== null ? ` ${source.version}` : '';
  const programs = programsProblem(output, what);
  if (programs !== null) return programs;
  // Before all others: what it tried to download in vain, its own headers too, is not the reason.
  if (GYP.test(text))
    return `The ${what} has native parts that could not be compiled; the last lines of its output say why.`;
  // These two first: without an index pip also says that it found no version.
  if (/SELF_SIGNED_CERT|UNABLE_TO_VERIFY|CERTIFICATE_VERIFY_FAILED/i.test(text))
    return `The certificate of the package index is not trusted. Add its authority to the host's certificate bundle and start again.`;
  if (
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET)\b|NewConnectionError|Temporary failure in name/.test(
      text,
    )
  )
    return `The package index could not be reached while installing the ${what}. Check the network of the engine.`;
  if (/\bE404\b|404 Not Found/.test(text)) return `There is no ${what}. Check its name.`;
  if (/\bETARGET\b|No matching version found/.test(text))
    return `The ${what} has no version${version}. Check the version.`;
  if (/No matching distribution found/.test(text)) {
    // pip lists the versions it did find; an empty list means that it knows no such package.
    const nothing = /\(from versions: none\)/.test(text);
    return nothing
      ? `There is no ${what}, or none that runs here. Check its name.`
      : `The ${what} has no version${version} that runs here. Check the version.`;
  }
  if (/JavaScript heap out of memory|signal: killed|exit code: 137|returned a non-zero code: 137/.test(text))
    return `The install of the ${what} needed more memory than an install may use.`;
  if (/cannot be mapped to a host ID/.test(text))
    return 'COPY --from can only copy files of root here. Give them to root in the stage they come from (chown -R 0:0), and to their owner by COPY --chown.';
  return null;
}

function programsProblem(output: readonly string[], what: string): string | null {
  const line = output.find((entry) => entry.includes(MARK));
  if (line === undefined) return null;
  try {
    const { programs, wanted } = JSON.parse(line.slice(line.indexOf(MARK) + MARK.length)) as {
      programs: string[];
      wanted: string | null;
    };
    if (programs.length === 0) return `The ${what} has no program that could be run.`;
    const list = programs.join(', ');
    return wanted === null
      ? `The ${what} has several programs; name one of them as bin: ${list}.`
      : `The ${what} has no program ${wanted}; it has: ${list}.`;
  } catch {
    return null; // the line was cut; the plain output is shown instead
  }
}

/** Errors first where there are any: npm ends with notices, the builder with a line that repeats the command. */
function usefulLines(output: readonly string[]): readonly string[] {
  const plain = output
    .map((line) => stripVTControlCharacters(line).trimEnd()) // the builder paints stderr red
    .filter((line) => line !== '' && !/^npm error( \w+)?$/.test(line));
  const errors = plain.filter((line) => /error|ERR!/i.test(line) && !/A complete log of this run/.test(line));
  return (errors.length > 0 ? errors : plain).slice(-OUTPUT_LINES);
}

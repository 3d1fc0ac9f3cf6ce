import type { ContainerExit } from '../engine/index.ts';
import { type Reason, reason } from '../kernel/index.ts';
import type { ChannelEnd } from '../replica/index.ts';

/** What the engine said about it. */
export type Found =
  | { readonly what: 'exit'; readonly exit: ContainerExit }
  /** It ran on, unheard, and we ended it. */
  | { readonly what: 'cut'; readonly exit: ContainerExit | null }
  | { readonly what: 'gone' }
  | { readonly what: 'engine_down' }
  /** It could not be found out. */
  | { readonly what: 'unknown' };

/** What is known when a process is over. */
export type ExitFacts = {
  /** How the channel ended; null when the container went down first. */
  readonly channelEnd: ChannelEnd | null;
  readonly found: Found;
  /** An out-of-memory event of this container was heard. */
  readonly oomSeen: boolean;
  /** A user asked for this kill. */
  readonly killAsked: boolean;
  readonly memoryBytes: number;
  readonly stderr: readonly string[];
};

/** Names why a process ended that should have gone on: the most specific cause that is proven. */
export function exitReason(facts: ExitFacts): Reason {
  const { channelEnd, stderr, found } = facts;
  const exitCode = found.what === 'exit' ? found.exit.code : null;
  const say = (code: Reason['code'], message: string): Reason => reason(code, message, { exitCode, stderr });
  if (channelEnd?.why === 'line_too_long') {
    return say(
      'line_too_long',
      `The process wrote a line of more than ${channelEnd.maxLineBytes} bytes on stdout; every message has to fit into one line of that size.`,
    );
  }
  if (channelEnd?.why === 'remote') return say('unreachable', channelEnd.message);
  if (found.what === 'exit' || (found.what === 'cut' && facts.killAsked)) {
    return exitedReason(classifiedExit(facts), facts, say);
  }
  if (found.what === 'engine_down') {
    return say('engine_unavailable', 'The engine went away, and the process with it.');
  }
  if (found.what === 'gone') return say('exited', 'The container was removed from outside.');
  return say('exited', unheard(channelEnd));
}

function exitedReason(
  exit: ContainerExit | null,
  facts: ExitFacts,
  say: (code: Reason['code'], message: string) => Reason,
): Reason {
  switch (exit?.reason) {
    case undefined:
    case 'killed':
      return say('killed', 'The process was killed as asked.');
    case 'oom':
      return say(
        'oom',
        `The process needed more than its ${mebibytes(facts.memoryBytes)} MiB of memory and was ended. Raise resources.memory if that is what it needs.`,
      );
    case 'signal':
      return say('signal', `The process was ended by ${exit.signal ?? 'a signal'} (exit code ${exit.code}).`);
    case 'exited':
      return say('exited', `The process ended by itself with exit code ${exit.code}.`);
  }
}

/** The engine's classification, corrected by what only we know: whether the kill was ours, whether memory ran out. */
export function classifiedExit({
  found,
  oomSeen,
  killAsked,
}: Pick<ExitFacts, 'found' | 'oomSeen' | 'killAsked'>): ContainerExit | null {
  if (found.what !== 'exit' && found.what !== 'cut') return null;
  const { exit } = found;
  if (exit === null) return null;
  if (killAsked || found.what === 'cut') return { ...exit, reason: 'killed' };
  if (oomSeen && exit.code !== 0) return { ...exit, reason: 'oom' };
  // `killed` means by us; somebody else's KILL is a signal like any other.
  return exit.reason === 'killed' ? { ...exit, reason: 'signal' } : exit;
}

function unheard(channelEnd: ChannelEnd | null): string {
  if (channelEnd?.why === 'transport')
    return 'The connection to the process broke; the process was replaced.';
  if (channelEnd?.why === 'ended')
    return 'The process closed its output without ending, so nothing could be heard from it.';
  return 'The process was lost and replaced.';
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

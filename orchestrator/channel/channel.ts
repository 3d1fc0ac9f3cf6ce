import type { GantryError, JsonRpcId } from '../kernel/index.ts';

/**
 * The byte pipe to one replica's stdin, stdout and stderr, cut into lines. `attach-channel` carries it over
 * Docker attach, `socket/socket-channel` over a unix socket for images built on bridge-image. Both pass
 * `test/contracts/channel.ts`. `http/http-channel` is the third: to a server elsewhere, over HTTP.
 */
export type Channel = {
  readonly kind: 'attach' | 'socket' | 'http';
  /** Writes one message; the newline is added here. Rejects once the channel is closed. */
  send(line: string): Promise<void>;
  /** Complete lines of stdout, without the newline, undecoded. */
  onLine(listener: (line: Buffer) => void): void;
  /**
   * Where each request goes a way of its own, one may fail while the channel goes on: told with the error that its
   * call ends with.
   */
  onLost?(listener: (id: JsonRpcId, error: GantryError) => void): void;
  /** The last lines of stderr, oldest first. */
  readonly stderr: StderrRing;
  /** Half-close: the process sees end of input and may finish. */
  end(): void;
  destroy(why: string): void;
  /** Settles once, after the last line was handed out. */
  readonly closed: Promise<ChannelEnd>;
};

export type ChannelEnd =
  /** The process closed its output, normally because it ended; `exit` where the channel knows how. */
  | { readonly why: 'ended'; readonly exit?: ProcessExit }
  | { readonly why: 'destroyed'; readonly message: string }
  | { readonly why: 'line_too_long'; readonly maxLineBytes: number }
  | { readonly why: 'transport'; readonly error: Error }
  /** A server elsewhere could not be greeted, or has ended the session. */
  | { readonly why: 'remote'; readonly message: string };

/** `signal`: the number of the one that ended it, else null. */
export type ProcessExit = { readonly code: number; readonly signal: number | null };

/** A bounded memory of stderr. Lines are capped and control characters escaped before they get here. */
export type StderrRing = {
  last(count: number): readonly StderrLine[];
  /** @returns a function that stops listening. */
  follow(listener: (line: StderrLine) => void): () => void;
};

export type StderrLine = { /** ISO time. */ readonly at: string; readonly line: string };

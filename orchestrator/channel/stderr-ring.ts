import type { Clock } from '../kernel/index.ts';
import type { StderrLine, StderrRing } from './channel.ts';

/** Enough to explain a failed start, little enough to hold for hundreds of replicas. */
const MAX_LINES = 200;
const MAX_LINE_BYTES = 2048;
/**
 * Reading lines costs the event loop that all servers share, so each may have so much of it; what is beyond is
 * only counted. A talkative start (21 kB, git-mcp-server) passes whole.
 */
const BUDGET_BYTES = 128 * 1024;
const BUDGET_REFILL_MS = 1000;

/**
 * Keeps the last lines of stderr. A server may write anything at any speed: long lines are cut, control
 * characters are escaped so that they cannot steer a terminal or forge a log line.
 */
export class BoundedStderr implements StderrRing {
  readonly #clock: Clock;
  readonly #lines: StderrLine[] = [];
  readonly #followers = new Set<(line: StderrLine) => void>();
  readonly #decoder = new TextDecoder('utf-8');
  #partial = '';
  #budgetBytes = BUDGET_BYTES;
  #refilledAt = Number.NEGATIVE_INFINITY;
  #skippedBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  push(bytes: Buffer): void {
    if (this.#isOverBudget(bytes.length)) {
      this.#skippedBytes += bytes.length;
      this.#partial = '';
      return;
    }
    this.#tellSkipped();
    const text = this.#partial + this.#decoder.decode(bytes, { stream: true });
    const lines = text.split('\n');
    this.#partial = (lines.pop() ?? '').slice(0, MAX_LINE_BYTES);
    // Of one read only the lines that fit the ring are worth the work: this bounds a flood.
    for (const line of lines.slice(-MAX_LINES)) this.#add(line);
  }

  /** Bytes that went before they got here. */
  lost(bytes: number): void {
    this.#skippedBytes += bytes;
  }

  /** The stream is over: an unfinished line counts as a line. */
  end(): void {
    this.#tellSkipped();
    if (this.#partial !== '') this.#add(this.#partial);
    this.#partial = '';
  }

  last(count: number): readonly StderrLine[] {
    return this.#lines.slice(-count);
  }

  follow(listener: (line: StderrLine) => void): () => void {
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  #isOverBudget(bytes: number): boolean {
    const now = this.#clock.now();
    if (now - this.#refilledAt >= BUDGET_REFILL_MS) {
      this.#refilledAt = now;
      this.#budgetBytes = BUDGET_BYTES;
    }
    this.#budgetBytes -= bytes;
    return this.#budgetBytes < 0;
  }

  #tellSkipped(): void {
    if (this.#skippedBytes === 0) return;
    const skipped = this.#skippedBytes;
    this.#skippedBytes = 0;
    this.#add(`[gantry: ${skipped} bytes of stderr were not read, they came too fast]`);
  }

  #add(line: string): void {
    const entry = {
      at: new Date(this.#clock.now()).toISOString(),
      line: escapeControls(line.slice(0, MAX_LINE_BYTES)),
    };
    this.#lines.push(entry);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    for (const follower of this.#followers) follower(entry);
  }
}

/** Makes control characters (C0, DEL, C1, line separators) visible; a tab stays. */
export function escapeControls(text: string): string {
  return text.replace(/\r$/, '').replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
    /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

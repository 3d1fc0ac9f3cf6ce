import type { Readable } from 'node:stream';
import { lines } from './lines.ts';

/** What a user gets to see of a failed build. */
const KEPT_LINES = 40;

/** The last lines of what the engine printed during a build, import or pull. */
export class Transcript {
  readonly #lines: string[] = [];

  add(text: string): void {
    for (const line of text.split('\n')) {
      if (line.trim() === '') continue;
      this.#lines.push(line.trimEnd());
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    }
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}

/**
 * Reads the daemon's progress stream to its end.
 * @returns the error the daemon reported in it, or null. The status was sent long before, so it says nothing.
 */
export async function followProgress(
  stream: Readable,
  transcript: Transcript,
  onProgress: () => void = () => {},
): Promise<string | null> {
  let failure: string | null = null;
  for await (const line of lines(stream)) {
    onProgress();
    const message = parse(line);
    if (typeof message.stream === 'string') transcript.add(message.stream);
    if (typeof message.error === 'string') {
      failure = message.error;
      transcript.add(failure);
    }
  }
  return failure;
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // Not progress but plain text: worth showing as it is.
    return { stream: line };
  }
}

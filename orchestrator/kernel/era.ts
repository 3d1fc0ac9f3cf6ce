/** `legacy`: revisions with a handshake and sessions; `modern`: every request stands for itself (MCP 2026-07-28). */
export type Era = 'legacy' | 'modern';

/** What a server speaks, as far as it was asked. */
export type EraVerdict = {
  readonly era: Era | 'both';
  /**
   * Whether one process that was greeted in the legacy way serves modern requests too. A process may as well stay
   * in the era of its first message.
   */
  readonly mixed: boolean;
};

export function speaks(verdict: EraVerdict, era: Era): boolean {
  return verdict.era === 'both' || verdict.era === era;
}

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, GantryError } from '../../kernel/index.ts';

/** Whose call a state belongs to: all of it must be the same when the state comes back. */
export type StateOwner = {
  readonly server: string;
  readonly principal: string;
  readonly method: string;
  /** The tool, prompt or resource. */
  readonly name: string | null;
};

/** Why a state is refused: not ours, too old or used, or another caller's or call's. */
export type StateFault = 'forged' | 'expired' | 'foreign';

const MESSAGES: Readonly<Record<StateFault, string>> = {
  forged: 'The requestState was not issued here, or was changed. Nothing was executed.',
  expired: 'The requestState has expired or was used before. Nothing was executed: send the call anew.',
  foreign: 'The requestState belongs to another caller or another call. Nothing was executed.',
};

export function stateRefused(reason: StateFault): GantryError {
  return new GantryError('request_state_refused', MESSAGES[reason], { detail: { reason } });
}

/**
 * Signs what a client is given to bring back. The client can read the payload, so it holds no secret, and the owner
 * stands in it only as a keyed digest.
 */
export class StateSeal {
  readonly #key = randomBytes(32);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  seal(content: string, owner: StateOwner, lifeMs: number): string {
    const payload = { content, until: this.#clock.now() + lifeMs, owner: this.#ownerDigest(owner) };
    const text = Buffer.from(JSON.stringify(payload)).toString('base64url');
    return `${text}.${this.#mac(text)}`;
  }

  /** @returns the content. @throws GantryError request_state_refused */
  open(state: unknown, owner: StateOwner): string {
    const [text = '', mac = '', ...more] = typeof state === 'string' ? state.split('.') : [];
    if (more.length > 0 || !sameText(mac, this.#mac(text))) throw stateRefused('forged');
    // Only what was signed here is parsed.
    const payload = JSON.parse(Buffer.from(text, 'base64url').toString()) as {
      content: string;
      until: number;
      owner: string;
    };
    if (payload.owner !== this.#ownerDigest(owner)) throw stateRefused('foreign');
    if (payload.until <= this.#clock.now()) throw stateRefused('expired');
    return payload.content;
  }

  #ownerDigest({ server, principal, method, name }: StateOwner): string {
    return this.#mac(JSON.stringify(['owner', server, principal, method, name]));
  }

  #mac(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

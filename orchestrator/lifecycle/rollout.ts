import {
  allowedTools,
  messageOf,
  type Reason,
  type RolloutView,
  reason,
  type ServerSpec,
  type ToolDifference,
} from '../kernel/index.ts';
import { offersOf } from './known-offers.ts';
import type { RolloutOptions } from './rollout-options.ts';
import { type RolloutOutcome, RolloutRecord } from './rollout-record.ts';
import { judgeNewcomers } from './rollout-verdict.ts';
import type { ServerPool } from './server-pool.ts';
import { startFailureOf } from './start-failure.ts';
import { toolDifference } from './tool-difference.ts';

/** How it went, and the pool that is not needed any more, if there is one. */
export type RolloutResult = { readonly outcome: RolloutOutcome; readonly loser: ServerPool | null };

type Verdict = { readonly what: 'ready' | 'cut' } | { readonly what: 'failed'; readonly reason: Reason };

/**
 * The replacement of one server's replicas by others: up, handshaken, tools compared, traffic shifted, watched for
 * `watchMs`, and back again by itself where the new ones fail before that. The old ones stay as they are until it is
 * decided; who ends them is the caller's business.
 */
export class Rollout {
  readonly from: ServerPool;
  readonly #options: RolloutOptions;
  readonly #record: RolloutRecord;
  #spec: ServerSpec;
  #to: ServerPool | null = null;
  #isFree = true;
  #isCut = false;
  #refusal: Reason | null = null;
  #wake: () => void = () => {};

  constructor(options: RolloutOptions) {
    this.#options = options;
    this.#spec = options.spec;
    this.from = options.from;
    this.#record = new RolloutRecord(options.spec.name, options.mode, options.clock, options.facts);
  }

  get spec(): ServerSpec {
    return this.#spec;
  }

  get to(): ServerPool | null {
    return this.#to;
  }

  get state(): RolloutView['state'] {
    return this.#record.state;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Whether it may still go either way. */
  get isOpen(): boolean {
    return this.state === 'starting' || this.state === 'watching';
  }

  /** Whether the old ones have kept their place so far: then it can be given up at no cost. */
  get isFree(): boolean {
    return this.#isFree;
  }

  /** Whether the old ones are still there. */
  get hasReserve(): boolean {
    return this.#options.mode === 'beside' && this.isOpen;
  }

  get view(): RolloutView {
    return this.#record.view;
  }

  /** Something happened to the new replicas. */
  heard(): void {
    this.#wake();
  }

  /** The same containers, with other numbers around them. */
  adopt(spec: ServerSpec): void {
    this.#spec = spec;
    this.#to?.adopt(spec);
  }

  /** Something else is wanted. Where the old ones have lost their place already, this is decided first. */
  cut(): void {
    if (this.#isFree) this.abort();
  }

  /** The server is being stopped or removed. */
  abort(): void {
    this.#isCut = true;
    this.#wake();
  }

  /** A new replica failed at something that the old ones can do. */
  refuse(why: Reason): void {
    this.#refusal ??= why;
    this.#wake();
  }

  /** What was left of the old ones is gone. */
  drained(): void {
    this.#record.drained();
  }

  /** Never rejects. */
  async run(): Promise<RolloutResult> {
    try {
      if (this.#options.mode === 'beside') return await this.#beside();
      return await this.#stopFirst();
    } catch (error) {
      return await this.#goBack(reason('internal', messageOf(error)));
    }
  }

  async #beside(): Promise<RolloutResult> {
    const to = this.#begin();
    const up = await this.#judged(0);
    if (up.what !== 'ready') return await this.#notReady(up);
    const tools = await this.#compareTools(to);
    if (this.#isCut) return await this.#notReady({ what: 'cut' });
    this.#isFree = false;
    this.#options.serve(to);
    this.from.fence(true);
    return await this.#watch(tools);
  }

  async #stopFirst(): Promise<RolloutResult> {
    const why = await this.#prepared();
    if (this.#isCut) return this.#end('superseded', null);
    if (why !== null) return this.#end('rolled_back', null, why);
    this.#isFree = false;
    await this.from.stop();
    if (this.#isCut) return this.#end('superseded', null);
    const to = this.#begin();
    this.#options.serve(to);
    const up = await this.#judged(0);
    if (up.what !== 'ready') return await this.#notReady(up);
    return await this.#watch(await this.#compareTools(to));
  }

  #begin(): ServerPool {
    this.#to = this.#options.make(this.#spec);
    return this.#to;
  }

  /** @returns why there is no image; null also where it was cut short. */
  async #prepared(): Promise<Reason | null> {
    const cut = new Promise<null>((resolve) => {
      this.#wake = () => this.#isCut && resolve(null);
    });
    const preparing = this.#options.prepare(this.#spec).then(
      () => null,
      (error: unknown) => startFailureOf(error).reason,
    );
    return await Promise.race([preparing, cut]);
  }

  async #watch(tools: ToolDifference | null): Promise<RolloutResult> {
    this.#record.shifted(tools);
    const held = await this.#judged(this.#spec.rollout.watchMs);
    if (held.what === 'cut') return this.#end('superseded', this.from);
    if (held.what === 'failed') return await this.#goBack(held.reason);
    return this.#end('done', this.from);
  }

  /** Until the new ones are up, and `forMs` have passed; or until they failed. */
  async #judged(forMs: number): Promise<Verdict> {
    let isOver = forMs === 0;
    const cancel = this.#options.clock.after(forMs, () => {
      isOver = true;
      this.#wake();
    });
    try {
      for (;;) {
        const verdict = this.#verdict();
        if (verdict !== null && (verdict.what !== 'ready' || isOver)) return verdict;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      cancel();
    }
  }

  #verdict(): Verdict | null {
    if (this.#isCut) return { what: 'cut' };
    if (this.#refusal !== null) return { what: 'failed', reason: this.#refusal };
    const slots = this.#to?.slots ?? [];
    const verdict = judgeNewcomers(
      slots.map(({ phase, running }) => ({ phase, available: running?.replica.available === true })),
    );
    if (verdict.state === 'failed') return { what: 'failed', reason: verdict.reason };
    return verdict.state === 'ready' ? { what: 'ready' } : null;
  }

  /** @returns null where the new tools cannot be known */
  async #compareTools(to: ServerPool): Promise<ToolDifference | null> {
    const [replica] = to.standing;
    if (replica === undefined) return null;
    const tools = allowedTools(this.#spec.tools, (await offersOf(replica, null)).tools);
    // One that died meanwhile lists nothing: that says nothing about its tools.
    return replica.available ? toolDifference(this.from.tools, tools) : null;
  }

  async #notReady(verdict: Verdict): Promise<RolloutResult> {
    if (verdict.what === 'failed') return await this.#goBack(verdict.reason);
    // Cut short: the old ones serve, unless they had to make room.
    return this.#end('superseded', this.#isFree ? this.#to : this.from);
  }

  /** The old ones serve again. */
  async #goBack(why: Reason): Promise<RolloutResult> {
    const { mode, serve } = this.#options;
    if (mode === 'stop_first' && !this.#isFree) {
      await this.#to?.close(this.#spec.timeouts.drainMs);
      if (this.#isCut) return this.#end('superseded', this.from);
      serve(this.from);
      this.from.start();
      return this.#end('rolled_back', this.#to, why);
    }
    this.from.fence(false);
    serve(this.from);
    return this.#end('rolled_back', this.#to, why);
  }

  #end(outcome: RolloutOutcome, loser: ServerPool | null, why: Reason | null = null): RolloutResult {
    this.#record.ended(outcome, why);
    return { outcome, loser };
  }
}

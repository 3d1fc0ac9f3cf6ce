/** One instance of a server elsewhere, as it registers itself for a time. */
export type NewRegistration = {
  readonly id: string;
  /** The server that it is an instance of. */
  readonly service: string;
  readonly url: string;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly ttlMs: number;
};

export type Registration = NewRegistration & {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Of its place among the instances of the service; given to nobody else meanwhile. */
  readonly number: number;
};

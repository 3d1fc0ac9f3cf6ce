/** An image that is on the engine and can be run. */
export type PreparedImage = {
  readonly tag: string;
  /** The program; null keeps the image's own command. */
  readonly command: readonly string[] | null;
  /** The exact version that was chosen where the configuration names none, else null. */
  readonly resolved: string | null;
  /** Whether it is built on the bridge image, so that its replicas can have a socket channel. */
  readonly hasBridge: boolean;
};

/** What a call asks of the echo server, and what its answer must hold: a fast wrong answer must not count as a fast one. */
export type Work = {
  /** As it is shown: `echo`, `result of 1 MiB`. */
  readonly name: string;
  /** The parameters of one `tools/call`. @param n different for each call */
  params(n: number): Record<string, unknown>;
  /** @param body of the whole HTTP answer, JSON or events */
  isAnswered(body: Buffer, n: number): boolean;
};

/** 64 bytes there and back. The real `everything` has the same tool. */
export const ECHO: Work = {
  name: 'echo',
  params: (n) => ({ name: 'echo', arguments: { message: messageOf(n) } }),
  isAnswered: (body, n) => body.includes(messageOf(n)),
};

export function resultOf(bytes: number): Work {
  return {
    name: `result of ${bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`}`,
    params: () => ({ name: 'blob', arguments: { bytes } }),
    isAnswered: (body) => body.length >= bytes,
  };
}

const STEPS = 10;

/** Ten times progress before the answer: a stream. */
export const PROGRESS: Work = {
  name: `${STEPS} progress events and an answer`,
  params: (n) => ({
    name: 'steps',
    arguments: { steps: STEPS, message: messageOf(n) },
    _meta: { progressToken: n },
  }),
  isAnswered: (body, n) =>
    body.includes(messageOf(n)) && body.toString().split('notifications/progress').length === STEPS + 1,
};

function messageOf(n: number): string {
  return `message-${n}-`.padEnd(64, '.');
}

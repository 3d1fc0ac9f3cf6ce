import { FakeChannel } from './fake-channel.ts';

/** A channel whose process, the test, outlives it: the next owner has another one. */
export class FakeLastingChannel extends FakeChannel {
  override readonly kind = 'socket';
  readonly connected: Promise<{ readonly linesTaken: number }>;
  readonly acknowledged: number[] = [];
  isLeft = false;
  linesSent: number;
  #take: (line: Buffer, end: number) => void = () => {};
  #end = 0;

  /** @param linesTaken what the process had been sent before this owner came */
  constructor(linesTaken = 0) {
    super();
    this.linesSent = linesTaken;
    this.connected = Promise.resolve({ linesTaken });
  }

  override send(line: string): Promise<void> {
    this.linesSent++;
    return super.send(line);
  }

  override onLine(listener: (line: Buffer, end: number) => void): void {
    this.#take = listener;
    super.onLine((line) => {
      this.#end += line.length + 1;
      this.#take(line, this.#end);
    });
  }

  acknowledge(end: number): void {
    this.acknowledged.push(end);
  }

  detach(): void {
    this.isLeft = true;
  }
}

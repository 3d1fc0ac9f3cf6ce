import type { Call } from '../load/closed-loop.ts';
import { type Endpoint, HttpSession } from '../load/http-session.ts';
import type { Work } from '../work.ts';

/** One of those that are measured side by side. */
export type Side = {
  /** `supergateway`, `gantry socket`. */
  readonly name: string;
  /** Version and flags, as somebody would type them again. */
  readonly what: string;
  /** Opens a session of its own. @throws Error with the refusal */
  open(callers: number): Promise<SideSession>;
  /** Processor time that the gateway's own process has used, in seconds; null where there is none. */
  cpuSeconds(): Promise<number | null>;
  /** Resident memory of all its processes on the host, in bytes; null where they are not on the host. */
  residentBytes(): number | null;
  close(): Promise<void>;
};

export type SideSession = {
  callers(work: Work): readonly Call[];
  close(): Promise<void>;
};

/** An endpoint whose process somebody else looks after. */
export function endpointSide(
  name: string,
  what: string,
  endpoint: Endpoint,
  cpuSeconds: () => Promise<number>,
): Side {
  return {
    name,
    what,
    open: (callers) => HttpSession.open(endpoint, callers),
    cpuSeconds,
    residentBytes: () => null,
    close: async () => {},
  };
}

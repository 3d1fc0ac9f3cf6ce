import { ANONYMOUS, type Offers, type ServerSpec, sorted } from '../../kernel/index.ts';
import { ASKS } from '../modern/both-eras.ts';

/** Who is shown lists, and what they can be asked for: servers offer more to who can do more. */
export type Audience = {
  readonly principal: string;
  /** Of the client. */
  readonly capabilities: Readonly<Record<string, unknown>>;
};

const ASKED_FOR: ReadonlySet<string> = new Set(Object.values(ASKS));

/**
 * Who is shown the same lists of a server, as one word; null where that is who Gantry itself is shown them. Capabilities
 * count where processes are greeted with them, and only those that let a server ask something: others could be without number.
 */
export function audienceKey(spec: ServerSpec, { principal, capabilities }: Audience): string | null {
  if (spec.sharing === 'shared') return null;
  const told = Object.fromEntries(Object.entries(capabilities).filter(([key]) => ASKED_FOR.has(key)));
  const who = isPrivate(spec) && principal !== ANONYMOUS ? principal : null;
  return who === null && Object.keys(told).length === 0 ? null : JSON.stringify([who, sorted(told)]);
}

/** What may be shown to somebody for whom nothing better is known. Resources may tell of another principal's data. */
export function commonOffers(spec: ServerSpec, offers: Offers, { principal }: Audience): Offers {
  return isPrivate(spec) && principal !== ANONYMOUS ? { ...offers, resources: [] } : offers;
}

/** Whether each principal has data of their own there. */
function isPrivate({ sharing, data }: ServerSpec): boolean {
  return sharing === 'principal' || (sharing === 'session' && data !== null);
}

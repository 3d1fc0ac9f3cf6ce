import { isDeepStrictEqual } from 'node:util';
import {
  type JsonRpcOutcome,
  type Listed,
  OFFER_KINDS,
  type OfferKind,
  type Offers,
} from '../../kernel/index.ts';
import { sharedName, sharedUri } from './names.ts';

/** A server of the set, and what is shown of it. */
export type Member = {
  readonly server: string;
  /** Null: it is left out, and why. */
  readonly offers: Offers | null;
  readonly state: string;
  readonly reason: string | null;
};

/** Tells clients which servers a list had to do without. */
export const LEFT_OUT_KEY = 'gantry/leftOut';

/** The notification that a list has changed, by list. */
export const CHANGED: Readonly<Record<OfferKind, string>> = {
  tools: 'notifications/tools/list_changed',
  prompts: 'notifications/prompts/list_changed',
  resources: 'notifications/resources/list_changed',
  resourceTemplates: 'notifications/resources/list_changed',
};

/** One list of all members: server by server in the order given, each in its own order, on one page. */
export function mergedList(
  kind: OfferKind,
  members: readonly Member[],
): Extract<JsonRpcOutcome, { ok: true }> {
  const entries = members.flatMap(({ server, offers }) =>
    (offers?.[kind] ?? []).map((entry) => shared(kind, server, entry)),
  );
  const leftOut = members
    .filter(({ offers }) => offers === null)
    .map(({ server, state, reason }) => ({ server, state, reason }));
  const result = {
    [kind]: entries,
    ...(leftOut.length === 0 ? {} : { _meta: { [LEFT_OUT_KEY]: leftOut } }),
  };
  return { ok: true, result, raw: JSON.stringify(result) };
}

function shared(kind: OfferKind, server: string, entry: Listed): Listed {
  switch (kind) {
    case 'tools':
    case 'prompts':
      return { ...entry, name: sharedName({ server, own: String(entry.name) }) };
    case 'resources':
      return { ...entry, uri: sharedUri({ server, own: String(entry.uri) }) };
    case 'resourceTemplates':
      return { ...entry, uriTemplate: sharedUri({ server, own: String(entry.uriTemplate) }) };
  }
}

/** What a client was shown last of each list, so that it is told of what has changed since, and of nothing else. */
export class ShownLists {
  readonly #shown = new Map<OfferKind, ReadonlyMap<string, readonly Listed[] | null>>();

  show(kind: OfferKind, members: readonly Member[]): void {
    this.#shown.set(kind, seen(kind, members));
  }

  /** The notifications that are due, as if all had been shown now. */
  changes(members: readonly Member[]): readonly string[] {
    const due = OFFER_KINDS.filter((kind) => {
      const before = this.#shown.get(kind);
      if (before === undefined) return false;
      const now = seen(kind, members);
      this.#shown.set(kind, now);
      return !isDeepStrictEqual(before, now);
    });
    return [...new Set(due.map((kind) => CHANGED[kind]))];
  }
}

function seen(kind: OfferKind, members: readonly Member[]): ReadonlyMap<string, readonly Listed[] | null> {
  return new Map(members.map(({ server, offers }) => [server, offers?.[kind] ?? null]));
}

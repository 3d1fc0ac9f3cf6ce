import { isObject, type JsonRpcOutcome } from '../../kernel/index.ts';
import { type Owned, ownerOfName, ownerOfUri } from './names.ts';

type Params = Readonly<Record<string, unknown>>;

/** Which server a request is for, and its parameters as that server knows them. */
export type Target = Owned & {
  readonly what: Subject['what'];
  /** Its name or URI here. */
  readonly shared: string;
  readonly params: Params;
};

const INVALID_PARAMS = -32602;
const RESOURCE_NOT_FOUND = -32002;

/** What a request is about: a name or URI, whose owner it names, and how it is put back without that. */
type Subject = {
  readonly what: 'tool' | 'prompt' | 'resource';
  readonly shared: unknown;
  readonly owner: (shared: string) => Owned | null;
  readonly with: (own: string) => Params;
};

/** Requests that one server answers, by method; null where a method is no such. */
function subjectOf(method: string, params: Params): Subject | null {
  const byName = { shared: params.name, owner: ownerOfName, with: (name: string) => ({ ...params, name }) };
  const byUri = { shared: params.uri, owner: ownerOfUri, with: (uri: string) => ({ ...params, uri }) };
  switch (method) {
    case 'tools/call':
      return { what: 'tool', ...byName };
    case 'prompts/get':
      return { what: 'prompt', ...byName };
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return { what: 'resource', ...byUri };
    case 'completion/complete': {
      const ref = isObject(params.ref) ? params.ref : {};
      const put = (key: string) => (own: string) => ({ ...params, ref: { ...ref, [key]: own } });
      return ref.type === 'ref/resource'
        ? { what: 'resource', shared: ref.uri, owner: ownerOfUri, with: put('uri') }
        : { what: 'prompt', shared: ref.name, owner: ownerOfName, with: put('name') };
    }
    default:
      return null;
  }
}

/**
 * Finds the server that a request is for.
 * @param isOffered whether that server is one of these, and offers it
 * @returns the refusal where it names none of them; null where no single server answers this method
 */
export function targetOf(
  method: string,
  params: Params,
  isOffered: (what: Subject['what'], owned: Owned) => boolean,
  servers: () => readonly string[],
): Target | JsonRpcOutcome | null {
  const subject = subjectOf(method, params);
  if (subject === null) return null;
  const { what, shared } = subject;
  if (typeof shared !== 'string') return unknown(what, shared, servers());
  const owned = subject.owner(shared);
  if (owned === null || !isOffered(what, owned)) return unknown(what, shared, servers());
  return { ...owned, what, shared, params: subject.with(owned.own) };
}

export function isTarget(found: Target | JsonRpcOutcome): found is Target {
  return 'server' in found;
}

/** Nothing of that name here. */
export function unknown(
  what: Subject['what'],
  shared: unknown,
  servers: readonly string[],
): Extract<JsonRpcOutcome, { ok: false }> {
  const shape = what === 'resource' ? 'URIs here are server+uri' : 'names here are server__name';
  const has = servers.length === 0 ? 'there is no server' : `the servers are ${servers.join(', ')}`;
  const message = `Unknown ${what}: ${typeof shared === 'string' ? shared : 'none was named'} (${shape}; ${has}).`;
  if (what === 'resource') {
    return {
      ok: false,
      error: { code: RESOURCE_NOT_FOUND, message, data: { uri: shared ?? null, servers } },
    };
  }
  const data = { code: `${what}_not_found`, [what]: shared ?? null, servers };
  return { ok: false, error: { code: INVALID_PARAMS, message, data } };
}

/** What begins the address of a set of servers; no server's name can. */
const SET_MARK = '@';
/** Every server. */
export const ALL_SERVERS = `${SET_MARK}all`;

/** No server's name has an underscore or a plus sign: the first mark splits, whatever follows. */
const NAME_MARK = '__';
const URI_MARK = '+';

/** Whose something is, and what it is called there. */
export type Owned = { readonly server: string; readonly own: string };

export function isSet(endpoint: string): boolean {
  return endpoint.startsWith(SET_MARK);
}

/** `tools` for `@tools`. */
export function setNameOf(endpoint: string): string {
  return endpoint.slice(SET_MARK.length);
}

/** A tool's or prompt's name among those of several servers: `server__name`. */
export function sharedName({ server, own }: Owned): string {
  return `${server}${NAME_MARK}${own}`;
}

/** @returns null for a name that begins with no server's */
export function ownerOfName(name: string): Owned | null {
  return splitAt(name, NAME_MARK);
}

/**
 * The URI of a resource, or of a template for such, among those of several servers: `server+uri`, which is a URI again, since
 * a scheme may have plus signs (RFC 3986, section 3.1).
 */
export function sharedUri({ server, own }: Owned): string {
  return `${server}${URI_MARK}${own}`;
}

/** @returns null for a URI that begins with no server's name */
export function ownerOfUri(uri: string): Owned | null {
  return splitAt(uri, URI_MARK);
}

function splitAt(text: string, mark: string): Owned | null {
  const at = text.indexOf(mark);
  return at <= 0 ? null : { server: text.slice(0, at), own: text.slice(at + mark.length) };
}

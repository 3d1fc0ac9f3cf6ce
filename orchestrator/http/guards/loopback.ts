/** The names under which a browser or a tool on this machine reaches us. */
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** `host` or `host:port`; anything else, user info above all, does not match. */
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/;

/** The host name of `host[:port]` in lower case, or null when the text is anything else. */
export function hostNameOf(authority: string): string | null {
  return AUTHORITY.exec(authority.toLowerCase())?.[1] ?? null;
}

/** True for localhost, 127.0.0.1 and [::1], at any port. */
export function isLoopback(authority: string): boolean {
  const name = hostNameOf(authority);
  return name !== null && LOOPBACK.has(name);
}

/** Used where an image would run as root, or does not say: no account of any common image has this id. */
export const FALLBACK_USER = '10001:10001';

/** Who a container of an image runs as. `uid` and `gid` are what a file it should own needs. */
export type RunUser = { readonly user: string; readonly uid: number; readonly gid: number };

/**
 * Decides the user from the image's own setting. A name is looked up in the image's `/etc/passwd`
 * (`passwd`, null where unreadable), because `toor` with uid 0 is root by another name.
 */
export function runUser(imageUser: string, passwd: string | null): RunUser {
  const fallback = { user: FALLBACK_USER, uid: 10001, gid: 10001 };
  const [name = '', group = ''] = imageUser.trim().split(':');
  if (name === '') return fallback;
  const entry = passwdEntry(name, passwd ?? '');
  const uid = numeric(name) ?? entry?.uid;
  if (uid === undefined || uid <= 0) return fallback;
  return { user: imageUser.trim(), uid, gid: numeric(group) ?? entry?.gid ?? uid };
}

/** Docker reads `+0` and `00` as numbers too. */
function numeric(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

/** True where the user is a name, so that the image's account list is needed. */
export function needsPasswd(imageUser: string): boolean {
  const [name = ''] = imageUser.trim().split(':');
  return name !== '' && name !== 'root' && numeric(name) === undefined;
}

function passwdEntry(name: string, passwd: string): { uid: number; gid: number } | undefined {
  for (const line of passwd.split('\n')) {
    const [account, , uid, gid] = line.split(':');
    if (account === name || (numeric(name) !== undefined && Number(uid) === numeric(name))) {
      return { uid: Number(uid), gid: Number(gid) };
    }
  }
  return undefined;
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The stack's settings: compose/stack.env, with the variables of the shell over it, as compose itself reads them.
 * @returns {Promise<Record<string, string>>}
 */
export async function readSettings(root, overrides = process.env) {
  const settings = parseEnv(await readFile(join(root, 'compose/stack.env'), 'utf8'));
  for (const key of Object.keys(settings)) if (overrides[key]) settings[key] = overrides[key];
  return settings;
}

export function parseEnv(text) {
  const lines = text.split('\n').map((line) => /^([A-Z_][A-Z0-9_]*)=(.*)$/.exec(line.trim()));
  return Object.fromEntries(lines.filter((match) => match !== null).map(([, key, value]) => [key, value]));
}

/** Docker refuses a container that asks for more processors than there are. @returns {Record<string, string>} what to lower */
export function lowerCpus(settings, cpus) {
  const asked = Object.entries(settings).filter(([key]) => key.endsWith('_CPUS'));
  return Object.fromEntries(
    asked.filter(([, value]) => Number(value) > cpus).map(([key]) => [key, String(cpus)]),
  );
}

/**
 * Lowers the packet size to that of the host's way out, which a VPN or a cloud may have made smaller than usual.
 * @returns {Promise<Record<string, string>>} empty where nothing is to lower or the host does not tell
 */
export async function lowerMtu(settings) {
  const device = defaultDevice(await readFile('/proc/net/route', 'utf8').catch(() => ''));
  if (device === null) return {};
  const mtu = Number(await readFile(`/sys/class/net/${device}/mtu`, 'utf8').catch(() => ''));
  return mtu > 0 && mtu < Number(settings.GANTRY_MTU) ? { GANTRY_MTU: String(mtu) } : {};
}

/** @param {string} routes text of /proc/net/route @returns {string | null} the device of the default route */
export function defaultDevice(routes) {
  const rows = routes.split('\n').map((line) => line.trim().split(/\s+/));
  return rows.find((row) => row[1] === '00000000' && row[7] === '00000000')?.[0] ?? null;
}

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { environmentPattern } from './config/index.ts';

/** What the surroundings tell the process: addresses and places, never behaviour (that is gantry.yaml). */
export type Environment = {
  /** Where to listen; inside the stack all addresses of the container. */
  readonly host: string;
  readonly port: number;
  /** How users reach it, for the URLs shown. */
  readonly publicUrl: string;
  /** The address of the host that the ports are published on; anything but loopback needs tokens. */
  readonly bindAddress: string;
  readonly serverPorts: { readonly first: number; readonly last: number };
  /** Absolute path of gantry.yaml. */
  readonly configFile: string;
  /** Which `gantry.<environment>.yaml` is laid over it, or null. */
  readonly configEnvironment: string | null;
  /** A directory that survives restarts. */
  readonly stateDir: string;
  /** Where the root file system of the bridge image lies. */
  readonly bridgeImageDir: string;
  readonly engine: { readonly host: string; readonly port: number; readonly certsDir: string };
  /** What the engine's container may use; the engine itself tells the memory of its host. Null: not limited. */
  readonly engineMemoryBytes: number | null;
  /** A volume that is shared with the engine, as either sees it; null: nothing is shared, and stdio is attached to. */
  readonly channels: { readonly dir: string; readonly engineDir: string } | null;
  readonly redis: { readonly host: string; readonly port: number; readonly passwordFile: string } | null;
  readonly pypiIndexUrl: string | null;
  readonly npmRegistryUrl: string | null;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Marks our containers, volumes and Redis keys; one engine and one Redis may serve several meshes. */
  readonly owner: string;
  /** Unique to this run: containers of another epoch are gone on with over their sockets, or have lost their stdio. */
  readonly epoch: string;
};

/**
 * @param variables process.env
 * @throws Error naming the variable that is wrong
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const port = portOf(variables, 'GANTRY_PORT', 7400);
  const [first, last] = rangeOf(variables.GANTRY_SERVER_PORTS ?? '3001-3019');
  return {
    host: variables.GANTRY_HOST ?? '127.0.0.1',
    port,
    publicUrl: variables.GANTRY_PUBLIC_URL ?? `http://127.0.0.1:${port}`,
    bindAddress: variables.GANTRY_BIND_ADDRESS ?? '127.0.0.1',
    serverPorts: { first, last },
    configFile: variables.GANTRY_CONFIG ?? '/config/gantry.yaml',
    configEnvironment: environmentOf(variables.GANTRY_ENVIRONMENT ?? ''),
    stateDir: variables.GANTRY_STATE_DIR ?? '/var/lib/gantry',
    bridgeImageDir: variables.GANTRY_BRIDGE_IMAGE_DIR ?? '/opt/gantry/bridge-image',
    engine: {
      host: variables.GANTRY_ENGINE_HOST ?? 'dind',
      port: portOf(variables, 'GANTRY_ENGINE_PORT', 2376),
      certsDir: variables.GANTRY_ENGINE_CERTS ?? '/certs/client',
    },
    engineMemoryBytes: bytesOf(variables, 'GANTRY_ENGINE_MEMORY'),
    channels: channelsOf(variables),
    redis:
      variables.GANTRY_REDIS_HOST === undefined
        ? null
        : {
            host: variables.GANTRY_REDIS_HOST,
            port: portOf(variables, 'GANTRY_REDIS_PORT', 6379),
            passwordFile: variables.GANTRY_REDIS_PASSWORD_FILE ?? '/run/redis/password',
          },
    pypiIndexUrl: urlOf(variables, 'GANTRY_PYPI_INDEX'),
    npmRegistryUrl: urlOf(variables, 'GANTRY_NPM_REGISTRY'),
    logLevel: levelOf(variables.GANTRY_LOG_LEVEL ?? 'info'),
    owner: ownerOf(variables.GANTRY_OWNER ?? 'gantry'),
    epoch: `${hostname()}-${Date.now().toString(36)}`,
  };
}

/** The URL with the password from its file; read late, because Redis makes the file at its first start. */
export function redisUrl({ host, port, passwordFile }: NonNullable<Environment['redis']>): string {
  return `redis://:${encodeURIComponent(readFileSync(passwordFile, 'utf8').trim())}@${host}:${port}/0`;
}

function portOf(variables: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = variables[name] ?? String(fallback);
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error(`${name} must be a port, not ${JSON.stringify(text)}`);
}

function rangeOf(text: string): [number, number] {
  const match = /^(\d+)-(\d+)$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2]);
  if (match !== null && first > 0 && first <= last && last < 65_536) return [first, last];
  throw new Error(`GANTRY_SERVER_PORTS must be a range such as 3001-3019, not ${JSON.stringify(text)}`);
}

function environmentOf(text: string): string | null {
  if (text === '' || environmentPattern.test(text)) return text === '' ? null : text;
  throw new Error(`GANTRY_ENVIRONMENT must be a name such as production, not ${JSON.stringify(text)}`);
}

function levelOf(text: string): Environment['logLevel'] {
  if (text === 'debug' || text === 'info' || text === 'warn' || text === 'error') return text;
  throw new Error(`GANTRY_LOG_LEVEL must be debug, info, warn or error, not ${JSON.stringify(text)}`);
}

/** It begins names of containers and volumes, and ends at the first colon of a Redis key. */
function ownerOf(text: string): string {
  if (/^[a-z0-9][a-z0-9_.-]{0,62}$/.test(text)) return text;
  throw new Error(
    `GANTRY_OWNER must be at most 63 lower-case letters, digits and . _ -, not ${JSON.stringify(text)}`,
  );
}

/** Sockets have to fit into 107 bytes of path. */
function channelsOf(variables: NodeJS.ProcessEnv): Environment['channels'] {
  const dir = variables.GANTRY_CHANNEL_DIR ?? '';
  if (dir === '') return null;
  const engineDir = variables.GANTRY_ENGINE_CHANNEL_DIR ?? dir;
  if (dir.startsWith('/') && engineDir.startsWith('/')) return { dir, engineDir };
  throw new Error('GANTRY_CHANNEL_DIR and GANTRY_ENGINE_CHANNEL_DIR must be absolute paths');
}

/** Empty counts as absent: compose cannot leave a variable out. */
function urlOf(variables: NodeJS.ProcessEnv, name: string): string | null {
  const text = variables[name] ?? '';
  if (text === '') return null;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new Error(`${name} must be an http or https URL, not ${JSON.stringify(text)}`);
}

/** A size as compose takes it for `mem_limit`: bytes, or with b, k, m or g, which are powers of 1024. Empty counts as absent. */
function bytesOf(variables: NodeJS.ProcessEnv, name: string): number | null {
  const text = variables[name] ?? '';
  if (text === '' || text === '0') return null;
  const match = /^(\d+(?:\.\d+)?)([bkmg]?)b?$/i.exec(text);
  const exponent = ['', 'k', 'm', 'g'].indexOf((match?.[2] ?? '').toLowerCase().replace('b', ''));
  if (match === null || exponent < 0) {
    throw new Error(`${name} must be a size such as 8g or 4096m, not ${JSON.stringify(text)}`);
  }
  return Math.floor(Number(match[1]) * 1024 ** exponent);
}

import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { adminToken } from './admin-token.ts';
import { authOf, refuseOpenDoor } from './auth.ts';
import { entryJsonSchema, problemText, ServerList, type Settings } from './config/index.ts';
import { controls } from './controls.ts';
import { connectEngine, requireLimits } from './engine-start.ts';
import { type Environment, readEnvironment, redisUrl } from './environment.ts';
import {
  createApp,
  createServerPortApp,
  type HttpOptions,
  listen,
  mcpError,
  mcpRoute,
  sseRoute,
} from './http/index.ts';
import { Facts, GantryError, messageOf, systemClock } from './kernel/index.ts';
import { ensureBridgeImage, Images, Mesh } from './lifecycle/index.ts';
import { MemoryServerStore, RedisEventLog, RedisServerStore, type ServerStore } from './registry/index.ts';
import { Router } from './routing/index.ts';
import { ServerPorts } from './server-ports.ts';
import {
  type EncodeError,
  EVENTS_KEPT_MS,
  type EventLog,
  MemoryEventLog,
  Sessions,
  SseSessions,
  StatelessCalls,
  Tools,
} from './session/index.ts';
import { shared } from './shared.ts';
import { onceStopped } from './stop.ts';
import { countFacts, logFacts } from './telemetry/index.ts';

/** How long to wait before the engine is asked again at start: it comes up within seconds or not at all. */
const ENGINE_PAUSE_MS = 1000;
/** How often a registry that was away is asked whether it is back. */
const REGISTRY_PAUSE_MS = 5000;
const clock = systemClock;

/** Constructs every room, hands each what it needs, and ends them in the right order. */
async function main(): Promise<void> {
  const environment = readEnvironment(process.env);
  const facts = new Facts();
  const log = logFacts(facts, { level: environment.logLevel, clock });
  const metrics = countFacts(facts);
  const trouble = (where: string) => (message: string) => facts.state({ type: 'trouble', where, message });
  process.on('uncaughtException', (error) => {
    // What state the process is in is unknown now: the stack starts a new one, which begins from what is stored.
    process.stderr.write(`gantry: ${error.stack ?? error}\n`);
    process.exit(1);
  });

  const store = openStore(environment, trouble('registry'));
  const { configFile, serverPorts: portRange, publicUrl } = environment;
  const list = new ServerList({
    readFile: () => readFile(configFile, 'utf8'),
    baseDir: dirname(configFile),
    portRange,
    store,
    apply: async (specs) => {
      await ports.apply(specs);
      await mesh.apply(specs);
    },
    onTrouble: trouble('servers'),
  });
  const settings = await loadSettings(list, configFile);
  refuseOpenDoor(environment.bindAddress, settings);
  const admin = await adminToken(environment.stateDir);

  const { bridgeImageDir, owner, epoch } = environment;
  const engine = await connectEngine(
    environment,
    (await readFile(join(bridgeImageDir, 'tag'), 'utf8')).trim(),
  );
  const bridgeTag = shared(() => ensureBridgeImage(engine, bridgeImageDir));
  const images = new Images({
    engine,
    clock,
    facts,
    owner,
    bridgeTag,
    pins: { get: (key) => store.getResolved(key), put: (key, version) => store.putResolved(key, version) },
    pypiIndexUrl: environment.pypiIndexUrl,
    npmRegistryUrl: environment.npmRegistryUrl,
  });
  const mesh = new Mesh({
    engine,
    clock,
    facts,
    owner,
    epoch,
    random: Math.random,
    maxLineBytes: settings.limits.maxLineBytes,
    prepareImage: async (spec) => {
      await bridgeTag(); // also gives new volumes to their user, whatever image the server has
      return images.prepare(spec);
    },
    urlOf: ({ name }) => `${publicUrl}/mcp/${name}`,
  });
  const router = new Router({ pools: mesh });
  const events = openEventLog(environment, trouble('events'));
  const encodeError: EncodeError = (id, error) => JSON.stringify(mcpError(error, id).body);
  const sessions = new Sessions({ router, clock, facts, encodeError, log: events.log });
  const sseSessions = new SseSessions({ sessions, clock, encodeError });
  const stateless = new StatelessCalls({ router, clock, facts, encodeError });

  const closing = new AbortController();
  const atServer = {
    maxBodyBytes: settings.http.maxBodyBytes,
    checkServer: (name: string) => void router.spec(name),
  };
  const http: HttpOptions = {
    ...controls({ mesh, list, sessions, tools: new Tools(router), engine, store }),
    metrics,
    auth: authOf(settings, admin.token),
    facts,
    mcp: mcpRoute({ sessions, stateless, ...atServer }),
    sse: sseRoute({ sseSessions, ...atServer }),
    ...settings.http,
    version: packageJson.version,
    entrySchema: entryJsonSchema(),
    closing: closing.signal,
  };
  const ports = new ServerPorts({
    open: (spec, port) => listen(createServerPortApp(http, spec.name), { host: environment.host, port }),
    onTrouble: trouble('ports'),
  });
  await list.start(); // before anybody can ask: the servers are known, and wait for the engine
  const listening = await listen(createApp(http), { host: environment.host, port: environment.port });
  process.stderr.write(`gantry: listening on ${publicUrl}; the admin token is in ${admin.path}\n`);

  const stopped = onceStopped(process);
  const started = requireLimits(engine, ENGINE_PAUSE_MS, trouble('engine')).then(async () => {
    await engine.prepare();
    mesh.open();
  });
  const stopAsking = everySoOften(REGISTRY_PAUSE_MS, () => list.storeIsBack(), trouble('registry'));
  await Promise.race([stopped, started.then(() => stopped)]);

  stopAsking();
  const drainMs = drainOf(mesh);
  closing.abort();
  sessions.drain();
  stateless.drain();
  const noMoreRequests = [listening.close(drainMs), ports.close(drainMs)];
  await mesh.shutdown(drainMs);
  sessions.close();
  sseSessions.close();
  stateless.close();
  await Promise.all(noMoreRequests);
  await events.close();
  await store.close();
  metrics.close();
  log.close();
}

function openStore({ redis }: Environment, onTrouble: (message: string) => void): ServerStore {
  if (redis !== null) return new RedisServerStore({ url: redisUrl(redis), onTrouble });
  onTrouble('No Redis is configured: servers made over the API are forgotten at the next start.');
  return new MemoryServerStore();
}

/** Beside the servers, on a connection of its own: a flood of messages must not delay the registry. */
function openEventLog(
  { redis }: Environment,
  onTrouble: (message: string) => void,
): { log: EventLog; close: () => Promise<void> } {
  if (redis === null) return { log: new MemoryEventLog({ clock }), close: async () => {} };
  const log = new RedisEventLog({ url: redisUrl(redis), keptMs: EVENTS_KEPT_MS, onTrouble });
  return { log, close: () => log.close() };
}

/** @throws Error that lists every problem of the file, a line each */
async function loadSettings(list: ServerList, configFile: string): Promise<Settings> {
  try {
    return await list.load();
  } catch (error) {
    if (!(error instanceof GantryError && error.code === 'invalid_config')) throw error;
    const problems = error.detail.problems as Parameters<typeof problemText>[1][];
    throw new Error(problems.map((problem) => problemText(basename(configFile), problem)).join('\n'));
  }
}

/** The longest drain that any server asks for. */
function drainOf(mesh: Mesh): number {
  return Math.max(0, ...mesh.list().map(({ name }) => mesh.spec(name)?.timeouts.drainMs ?? 0));
}

function everySoOften(
  pauseMs: number,
  task: () => Promise<void>,
  onTrouble: (message: string) => void,
): () => void {
  let cancel = (): void => {};
  const again = (): void => {
    cancel = clock.after(
      pauseMs,
      () =>
        void task()
          .catch((error) => onTrouble(messageOf(error)))
          .finally(again),
    );
  };
  again();
  return () => cancel();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`gantry: ${messageOf(error)}\n`);
  process.exit(1);
}

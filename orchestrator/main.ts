import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { adminToken } from './admin-token.ts';
import { authOf, refuseOpenDoor } from './auth.ts';
import { startChannels } from './channel-start.ts';
import { startClients } from './clients.ts';
import { ConfigFiles, entryJsonSchema, FileWatch, problemText, ServerList } from './config/index.ts';
import { loadSettings, toldAsRefused } from './config-start.ts';
import { controls } from './controls.ts';
import { DisabledServers } from './disabled-servers.ts';
import { connectEngine, requireLimits } from './engine-start.ts';
import { readEnvironment } from './environment.ts';
import {
  createApp,
  createServerPortApp,
  type HttpOptions,
  listen,
  mcpError,
  mcpRoute,
  sseRoute,
} from './http/index.ts';
import { Infrastructure } from './infrastructure.ts';
import { Facts, messageOf, type ServerSpec, systemClock } from './kernel/index.ts';
import { ensureBridgeImage, Images, Mesh } from './lifecycle/index.ts';
import { meshControl } from './mesh-control.ts';
import { keepRegistry } from './registry-keeper.ts';
import { openStores } from './registry-start.ts';
import { Remembered } from './remembered.ts';
import { Router } from './routing/index.ts';
import { RunTime } from './run-time.ts';
import { ServerPorts } from './server-ports.ts';
import { type EncodeError, MeshCalls, Tools } from './session/index.ts';
import { shared } from './shared.ts';
import { drainOf, onceStopped } from './stop.ts';
import { openTakeover } from './takeover-start.ts';
import { startTasks } from './tasks-start.ts';
import { countFacts, logFacts } from './telemetry/index.ts';

/** How long to wait before the engine is asked again at start: it comes up within seconds or not at all. */
const ENGINE_PAUSE_MS = 1000;
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

  const stores = openStores(environment, trouble);
  const takeover = await openTakeover(environment, stores, trouble('takeover'));
  const remembered = new Remembered(stores.mesh, trouble('registry'));
  const { configFile, serverPorts: portRange, publicUrl } = environment;
  const files = new ConfigFiles(configFile, environment.configEnvironment);
  const urlOf = ({ name }: ServerSpec): string => `${publicUrl}/mcp/${name}`;
  const disabled = new DisabledServers(urlOf);
  const list = new ServerList({
    files,
    clock,
    portRange,
    store: stores.servers,
    registered: () => runTime.servers,
    admit: (specs) => runTime.admit(specs),
    apply: async (specs) => {
      await ports.apply(specs);
      await mesh.apply(runTime.over(disabled.keep(specs)));
      if (list.isWhole && runTime.registrations.wasRead) await remembered.keepOnly(specs);
    },
    onTrouble: trouble('servers'),
    onReload: ({ trigger, outcome, problems }, settingsChanged) => {
      const texts = problems.map((problem) => problemText(problem.file, problem));
      facts.state({ type: 'config.reload', trigger, outcome, problems: texts, settingsChanged });
    },
  });
  const settings = await loadSettings(list, configFile);
  const runTime = new RunTime({
    store: stores.mesh,
    clock,
    list: () => list,
    ...settings.registry,
    onTrouble: trouble('registrations'),
  });
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
    pins: {
      get: (key) => stores.servers.getResolved(key),
      put: (key, version) => stores.servers.putResolved(key, version),
    },
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
    sockets: await startChannels(environment),
    left: takeover.replicas,
    prepareImage: async (spec) => {
      await bridgeTag(); // also gives new volumes to their user, whatever image the server has
      return images.prepare(spec);
    },
    reach: runTime.reach,
    urlOf,
    memory: remembered,
    eras: stores.eras,
    memoryBudgetBytes: settings.limits.memoryBudgetBytes,
    ...(environment.engineMemoryBytes === null ? {} : { engineMemoryBytes: environment.engineMemoryBytes }),
    queued: (server) => router.queued(server),
    onChange: (server) => router.look(server),
    disabled: disabled.why,
    inUse: (server) => clients.isListening(server),
  });
  const router = new Router({ pools: mesh, clock, facts, random: Math.random, disabled: disabled.why });
  const encodeError: EncodeError = (id, error) => JSON.stringify(mcpError(error, id).body);
  const { events } = stores;
  const { book } = takeover;
  const clients = startClients({ mesh, remembered, router, facts, list, events, book, encodeError });
  const { aggregates, sessions, sseSessions, stateless, checkServer } = clients;

  const closing = new AbortController();
  const atServer = { maxBodyBytes: settings.http.maxBodyBytes, checkServer };
  const tools = new Tools(router);
  const control = controls({
    mesh,
    disabled,
    list,
    sessions,
    aggregates,
    router,
    tools,
    engine,
    store: stores.servers,
    intents: remembered.intents,
  });
  const infrastructure = new Infrastructure(environment, control.health);
  const bus = startTasks({ stores, tools, mesh, facts, epoch, onTrouble: trouble('tasks') });
  const http: HttpOptions = {
    ...control,
    mesh: meshControl({ runTime, mesh, list, calls: new MeshCalls(router, clock) }),
    tasks: bus.tasks,
    agents: bus.agents,
    pendingTasks: bus.pendingTasks,
    infrastructure: () => infrastructure.view(),
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
  await remembered.load();
  await runTime.load(false);
  await list.start(); // before anybody can ask: the servers are known, and wait for the engine
  await sessions.restore(takeover.sessions).catch((error) => trouble('takeover')(messageOf(error)));
  const listening = await listen(createApp(http), { host: environment.host, port: environment.port });
  process.stderr.write(`gantry: listening on ${publicUrl}; the admin token is in ${admin.path}\n`);

  const registry = keepRegistry({
    store: stores.mesh,
    holder: epoch,
    facts,
    list,
    mesh,
    sessions,
    infrastructure,
    remembered,
    runTime,
    closing: closing.signal,
    onTrouble: trouble('registry'),
  });
  const stopped = onceStopped(process);
  const started = requireLimits(engine, ENGINE_PAUSE_MS, trouble('engine')).then(async () => {
    await engine.prepare();
    mesh.open();
  });
  const watch = new FileWatch({
    paths: () => files.paths,
    changes: () => files.changes(),
    onChange: () => list.reload('watch').catch(toldAsRefused),
    onTrouble: trouble('configuration'),
    clock,
  });
  await Promise.race([stopped, started.then(() => stopped)]);

  watch.close();
  const drainMs = drainOf(mesh);
  closing.abort();
  clients.drain();
  const noMoreRequests = [listening.close(drainMs), ports.close(drainMs), bus.close(drainMs)];
  await mesh.shutdown(drainMs);
  clients.close();
  await Promise.all(noMoreRequests);
  await takeover.close();
  runTime.registrations.close();
  await registry.close();
  await stores.close();
  metrics.close();
  log.close();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`gantry: ${messageOf(error)}\n`);
  process.exit(1);
}

import { type Bench, type Chapter, chapter } from './chapter.ts';
import { ECHO_SERVER } from './echo-server.ts';
import type { BenchEngine } from './engine.ts';
import { canPoll, withHaltPolling } from './halt-polling.ts';
import { type Spread, spreadOf } from './quantiles.ts';
import { installOnHost } from './real-server.ts';
import { measurePeerSessions, measureSessionsCost } from './sessions-cost.ts';
import { measureSideBySide, type SideRow } from './side-by-side.ts';
import { sessionsTable, sideTable } from './side-report.ts';
import { deployGantrySides, type GantrySides } from './sides/gantry-sides.ts';
import { installPeers, startBaseline, startPeers } from './sides/peers.ts';
import { endpointSide, type Side } from './sides/side.ts';
import { ECHO, PROGRESS, resultOf, type Work } from './work.ts';

type Stage = { readonly peers: readonly Side[]; readonly gantry: GantrySides };
type WithEngine = Bench & { readonly engine: BenchEngine };

const REAL = 'everything';
const MANY = [1000, 10_000] as const;
/** More than these and a peer that keeps a process for each session needs minutes to start them. */
const MOST_PEER_SESSIONS = { quick: 20, full: 200 } as const;

/** Everything that is measured beside other gateways, in one run and in turns. */
export const SIDE_CHAPTERS: readonly Chapter[] = [
  sideChapter('echo', async ({ peers, gantry }, bench) => [
    await row(bench, [...peers, gantry.direct, gantry.published, ...gantry.others], ECHO, 1),
    await row(bench, [...peers, gantry.direct, gantry.published, ...gantry.others], ECHO, 64),
    await row(bench, [...peers, gantry.direct], ECHO, 16),
    await row(bench, [...peers, gantry.direct], ECHO, 256),
  ]),
  chapter('polling', {}, polling, sideTable),
  sideChapter('open', async ({ peers, gantry }, bench) => {
    const sides = [...peers, gantry.direct];
    const supergateway = peers.filter(({ name }) => name === 'supergateway');
    const saturated = await row(bench, supergateway, ECHO, 64);
    const most = spreadOf(
      Object.values(saturated.sides)
        .flat()
        .map(({ perSecond }) => perSecond),
    ).median;
    const { pace } = bench;
    return [await measureSideBySide({ sides, work: ECHO, inFlight: 64, pace, perSecond: most / 2 })];
  }),
  sideChapter('sizes', async ({ peers, gantry }, bench) => [
    await row(bench, [...peers, gantry.direct], resultOf(1024), 16),
    await row(bench, [...peers, gantry.direct], resultOf(64 * 1024), 16),
    await row(bench, [...peers, gantry.direct], resultOf(1024 * 1024), 4),
  ]),
  sideChapter('progress', async ({ peers, gantry }, bench) => {
    // The baselines drop what is no answer, and so does mcp-proxy.
    const sides = peers.filter(({ name }) => name === 'supergateway');
    return [await row(bench, [...sides, gantry.direct], PROGRESS, 16)];
  }),
  sideChapter('eras', async ({ gantry }, bench) => [
    await row(bench, [gantry.direct, gantry.modern], ECHO, 1),
    await row(bench, [gantry.direct, gantry.modern], ECHO, 64),
  ]),
  chapter(REAL, {}, real, sideTable),
  chapter('cores', { needsEngine: false }, cores, sideTable),
  chapter('sessions', {}, sessions, sessionsTable),
];

function sideChapter(name: string, rows: (stage: Stage, bench: WithEngine) => Promise<SideRow[]>): Chapter {
  return chapter(name, {}, (bench) => onStage(bench, (stage) => rows(stage, bench)), sideTable);
}

function row({ pace }: Bench, sides: readonly Side[], work: Work, inFlight: number): Promise<SideRow> {
  return measureSideBySide({ sides, work, inFlight, pace });
}

/** Peers and servers as long as they are needed. */
async function onStage<T>(bench: WithEngine, act: (stage: Stage) => Promise<T>): Promise<T> {
  await installPeers(bench.say);
  const peers = await startPeers([process.execPath, '-e', ECHO_SERVER], '<echo>');
  try {
    const gantry = await deployGantrySides(bench.gateway, bench.engine, bench.say);
    try {
      const { direct, published, others } = gantry;
      bench.say('');
      for (const { what } of [...peers, direct, published, ...others]) bench.say(`  ${what}`);
      return await act({ peers, gantry });
    } finally {
      await gantry.close();
    }
  } finally {
    for (const peer of peers) await peer.close();
  }
}

/** Echo with processors that look for work before they halt: what a call costs where waking up costs little. */
async function polling(bench: WithEngine): Promise<SideRow[] | null> {
  if (!canPoll()) {
    bench.say(
      'Not measured: takes root on a machine with the idle governor haltpoll and its guest_halt_poll_ns at 0.',
    );
    return null;
  }
  return onStage(bench, async ({ peers, gantry }) => {
    bench.say('\nguest_halt_poll_ns of this machine is 200000 for what follows, and 0 again afterwards.');
    const sides = [...peers, gantry.direct];
    const rows = await withHaltPolling(async () => [
      await row(bench, sides, ECHO, 1),
      await row(bench, sides, ECHO, 64),
    ]);
    return rows.map((one) => ({ ...one, work: `${one.work}, polling` }));
  });
}

/** Whether more processes in front of one owner of sessions would pay, and what Gantry's rooms cost without an engine. */
async function cores(bench: Bench): Promise<SideRow[]> {
  const program = [process.execPath, '-e', ECHO_SERVER];
  const sides: Side[] = [];
  try {
    for (const file of ['bare-http', 'two-workers', 'rooms'] as const) {
      sides.push(await startBaseline(file, program, '<echo>'));
    }
    return [await row(bench, sides, ECHO, 64), await row(bench, sides, ECHO, 256)];
  } finally {
    for (const side of sides) await side.close();
  }
}

/** The real server, with its own time on all sides. */
async function real(bench: WithEngine): Promise<SideRow[] | null> {
  const { gateway, engine, say, root } = bench;
  const npm = (await gateway.server(REAL))?.source.npm;
  if (npm === undefined) {
    say(`\nThe mesh has no npm server "${REAL}": not measured.`);
    return null;
  }
  await installPeers(say);
  const program = await installOnHost(npm, 'mcp-server-everything', root);
  const peers = await startPeers([process.execPath, program, 'stdio'], npm);
  const url = engine.orchestratorUrl ?? gateway.url;
  const token = await gateway.callToken();
  const headers = {
    host: new URL(gateway.url).host,
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  const gantry = endpointSide('gantry', `gantry: ${npm}`, { url, path: `/mcp/${REAL}`, headers }, () =>
    gateway.metric('gantry_process_cpu_seconds_total'),
  );
  try {
    return [await row(bench, [...peers, gantry], ECHO, 1), await row(bench, [...peers, gantry], ECHO, 64)];
  } finally {
    for (const peer of peers) await peer.close();
  }
}

export type SessionsResult = {
  readonly gantry: readonly Awaited<ReturnType<typeof measureSessionsCost>>[];
  readonly peers: readonly Awaited<ReturnType<typeof measurePeerSessions>>[];
  /** What the container of a replica holds, as the engine counts it, in KiB. */
  readonly replicaKib: Spread | null;
};

function sessions(bench: WithEngine): Promise<SessionsResult> {
  return onStage(bench, async ({ peers, gantry }) => {
    const pace = { holdMs: bench.isQuick ? 10_000 : 120_000, measureMs: bench.pace.measureMs };
    const rows: SessionsResult['gantry'][number][] = [];
    for (const count of MANY) {
      rows.push(await measureSessionsCost(bench.gateway, gantry.endpoint, { sessions: count, ...pace }));
    }
    const most = MOST_PEER_SESSIONS[bench.isQuick ? 'quick' : 'full'];
    const peerRows: SessionsResult['peers'][number][] = [];
    for (const peer of peers) {
      if (peer.residentBytes() !== null) peerRows.push(await measurePeerSessions(peer, most));
    }
    return { gantry: rows, peers: peerRows, replicaKib: await replicaKib(bench) };
  });
}

async function replicaKib({ gateway }: Bench): Promise<Spread | null> {
  const containers = (await gateway.containers()).filter(({ server }) => server.startsWith('bench-'));
  const bytes = await Promise.all(containers.map(({ id }) => gateway.containerBytes(id)));
  return bytes.length === 0 ? null : spreadOf(bytes.map((one) => one / 1024));
}

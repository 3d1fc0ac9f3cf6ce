import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { type Fact, Facts, type ServerSpec } from '../../orchestrator/kernel/index.ts';
import { Mesh, type MeshOptions } from '../../orchestrator/lifecycle/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';
import { SERVER_DEFAULTS } from '../fakes/server-defaults.ts';
import { exitsAtOnce, mcpServer, mute, retooled, unlisted } from './fake-server.ts';

export const OWNER = 'gantry';
export const EPOCH = 'now';

/** A mesh on the fake engine, whose time moves only when told to. */
export function rig(
  overrides: Partial<Omit<MeshOptions, 'engine'>> & { opened?: boolean; engine?: FakeEngine } = {},
) {
  const engine =
    overrides.engine ??
    new FakeEngine({
      programs: { echo: mcpServer, mute, dies: exitsAtOnce, unlisted, retooled },
    });
  const clock = new FakeClock();
  const facts = new Facts();
  const stated: Fact[] = [];
  facts.listen((fact) => stated.push(fact));
  const mesh = new Mesh({
    clock,
    facts,
    owner: OWNER,
    epoch: EPOCH,
    maxLineBytes: 1024 * 1024,
    random: () => 0.5,
    // What is not about eras is about servers that are known to be legacy.
    eras: { get: async () => ({ era: 'legacy', mixed: false }), put: async () => {} },
    urlOf: (spec) => `http://127.0.0.1:7400/mcp/${spec.name}`,
    prepareImage: async ({ source }) => {
      if (source.kind !== 'image') throw new Error('only images here');
      return { tag: source.image, command: source.command, resolved: null, hasBridge: false };
    },
    ...overrides,
    engine,
  });
  if (overrides.opened !== false) mesh.open();
  return { engine, clock, facts, stated, mesh };
}

export function spec(name: string, overrides: Partial<ServerSpec> = {}): ServerSpec {
  return {
    ...SERVER_DEFAULTS,
    name,
    source: { kind: 'image', image: 'echo', command: null },
    scaling: { ...SERVER_DEFAULTS.scaling, max: overrides.replicas ?? 1 },
    maxSessions: 2,
    resources: { memoryBytes: 64 * 1024 * 1024, cpus: 1, pids: 64 },
    ...overrides,
  };
}

export function running(image: string): Pick<ServerSpec, 'source'> {
  return { source: { kind: 'image', image, command: null } };
}

/** Lets the fake engine's turns pass until something is so; it fails soon where it never will be. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    if (await isSo()) return;
    await setImmediate();
  }
  throw new Error(`never came true: ${what}`);
}

/** The same where connections are real: their time is too. */
export async function untilReally(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 5) {
    if (await isSo()) return;
    await delay(5);
  }
  throw new Error(`never came true: ${what}`);
}

/** All turns that are due without time passing. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await setImmediate();
}

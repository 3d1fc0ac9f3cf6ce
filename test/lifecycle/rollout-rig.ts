import type { ServerSpec } from '../../orchestrator/kernel/index.ts';
import { OWNER, rig, spec, until } from './rig.ts';

export const SHARED = { sharing: 'shared' } as const;

type All = ReturnType<typeof rig>;

/** A mesh with one server that is ready, its tools known. */
export async function serving(overrides: Partial<ServerSpec> = {}) {
  const all = rig();
  await all.mesh.apply([spec('one', overrides)]);
  await until('all are ready', () => all.mesh.get('one').replicas.ready === (overrides.replicas ?? 1));
  await until('its tools are known', () => all.mesh.get('one').toolCount > 0);
  return all;
}

export const inState = ({ mesh }: All, state: string) =>
  until(`the rollout is ${state}`, () => mesh.get('one').rollout?.state === state);

export const containers = async ({ engine }: All) =>
  (await engine.list(OWNER)).map((facts) => facts.labels['gantry.replica']).sort();

export const ended = ({ stated }: All) =>
  stated.flatMap((fact) => (fact.type === 'rollout.ended' ? [fact.outcome] : []));

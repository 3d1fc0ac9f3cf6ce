import type { RemotePlace, ServerSpec } from '../../kernel/index.ts';
import { replicaNumber } from '../labels.ts';

/** Where a server elsewhere is; nowhere for one that runs here. */
export function placesOf({ source }: Pick<ServerSpec, 'source'>): readonly RemotePlace[] {
  return source.kind === 'url' ? source.places : [];
}

/** The numbers of its standing places; null where any will do. */
export function placeNumbers(spec: ServerSpec): readonly number[] | null {
  return spec.source.kind === 'url' ? placesOf(spec).map(({ number }) => number) : null;
}

/** Whether a replica still has its place. */
export function hasPlace(replicaId: string, spec: ServerSpec): boolean {
  return placeNumbers(spec)?.includes(replicaNumber(replicaId)) !== false;
}

/** Whether a place has another URL now than before. */
export function hasMoved(replicaId: string, before: ServerSpec, now: ServerSpec): boolean {
  const number = replicaNumber(replicaId);
  const urlIn = (spec: ServerSpec) => placesOf(spec).find((place) => place.number === number)?.url;
  return urlIn(now) !== undefined && urlIn(now) !== urlIn(before);
}

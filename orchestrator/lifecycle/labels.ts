import { createHash } from 'node:crypto';

/** What every container of ours carries: enough to say whose it is without asking anybody but the engine. */
export type LabelValues = {
  readonly owner: string;
  /** Of the start of the orchestrator that made it: a later one takes over what has a socket; the rest has lost its stdio. */
  readonly epoch: string;
  readonly server: string;
  readonly replica: string;
  readonly generation: number;
  /** The name of its directory where it has a socket channel, null where it is attached to. */
  readonly directory: string | null;
};

export const OWNER_LABEL = 'gantry.owner';
export const EPOCH_LABEL = 'gantry.epoch';
export const SERVER_LABEL = 'gantry.server';
export const REPLICA_LABEL = 'gantry.replica';
export const GENERATION_LABEL = 'gantry.generation';
/** `socket` or `attach`. */
export const CHANNEL_LABEL = 'gantry.channel';
/** Of a socket channel: `ChannelDirectories` says where it is and what the replica proves itself with. */
export const DIRECTORY_LABEL = 'gantry.directory';

export function containerLabels(values: LabelValues): Record<string, string> {
  return {
    [OWNER_LABEL]: values.owner,
    [EPOCH_LABEL]: values.epoch,
    [SERVER_LABEL]: values.server,
    [REPLICA_LABEL]: values.replica,
    [GENERATION_LABEL]: String(values.generation),
    [CHANNEL_LABEL]: values.directory === null ? 'attach' : 'socket',
    ...(values.directory === null ? {} : { [DIRECTORY_LABEL]: values.directory }),
  };
}

/**
 * The name of a data volume. The same owner, server and principal find their data again after every restart;
 * the principal is hashed because names of people do not belong into volume names.
 * @param principal null for the one volume of a shared server.
 */
export function volumeName(owner: string, server: string, principal: string | null): string {
  const whose = principal === null ? 'shared' : sha256(principal).slice(0, 16);
  return `${owner}-data-${server}-${whose}`;
}

export function volumeLabels(owner: string, server: string): Record<string, string> {
  return { [OWNER_LABEL]: owner, [SERVER_LABEL]: server };
}

/**
 * `clock-1`, or `clock.2-1` in the second revision: no name of a server has a dot in it, so no other server's replica
 * can be called the same.
 */
export function replicaId(server: string, revision: number, number: number): string {
  return `${revision === 1 ? server : `${server}.${revision}`}-${number}`;
}

/** The number of a place within its revision. */
export function replicaNumber(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}

/** The name of the images built for a server, without a tag. */
export function serverImage(server: string): string {
  return `gantry/server-${server}`;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

import type { ContainerFacts } from '../engine/index.ts';
import type { ReplicaRecord } from './replica-record.ts';

/** A container that an earlier start of the orchestrator left running, and what is known of its process. */
export type Candidate = {
  readonly facts: ContainerFacts;
  readonly record: ReplicaRecord;
  /** How far its output was dealt with, as far as that is known: `SocketChannelOptions.resumeFrom`. */
  readonly heardTo: number | null;
};

import type { Clock, Facts, ServerSpec } from '../kernel/index.ts';
import type { EngineUp } from './engine-watch.ts';
import type { EraFinder } from './eras/era-finder.ts';
import type { Gate } from './gate.ts';
import type { ImageMemo } from './image-memo.ts';
import type { KnownOffers } from './known-offers.ts';
import type { ReplicaHost } from './replica-host.ts';
import type { ReplicaRecord } from './replica-record.ts';
import type { Running } from './running.ts';
import type { PlaceHistory } from './server-history.ts';
import type { Spare } from './spare.ts';
import type { Starts } from './starter.ts';
import type { Takeover } from './takeover.ts';

export type SlotOptions = {
  /** `everything-1`: the id of whatever replica fills this place. */
  readonly id: string;
  readonly spec: () => ServerSpec;
  readonly image: ImageMemo;
  /** What this place had been through in an earlier process; null for one that begins. */
  readonly past: PlaceHistory | null;
  /** Whose data the volume holds. */
  readonly principal: string | null;
  readonly eras: EraFinder;
  readonly starter: Starts;
  readonly takeover: Takeover;
  /** It is about to serve. @param record of the process that was taken over; null for another */
  readonly onUp: (running: Running, record: ReplicaRecord | null) => void;
  /** A spare for this place, where its replica has died; null where there is none. */
  readonly inherit: () => Spare | null;
  readonly gate: Gate;
  readonly engineWatch: EngineUp;
  readonly engine: ReplicaHost;
  readonly clock: Clock;
  readonly facts: Facts;
  /** 0 up to 1, for the jitter of restarts. */
  readonly random: () => number;
  /** Whether its pool can do without the place of that id now. */
  readonly mayEject: (id: string) => boolean;
  readonly onChange: () => void;
  /** What the server offers, read each time this place has become ready. */
  readonly offers: KnownOffers;
};

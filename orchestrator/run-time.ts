import { type PinnedAddress, pinAddress } from './channel/index.ts';
import { registeredSpec, type ServerList } from './config/index.ts';
import type { Clock, ServerSpec } from './kernel/index.ts';
import { type MeshStore, Registrations, Tuning } from './registry/index.ts';
import { AddressRules } from './resilience/index.ts';

export type RunTimeOptions = {
  readonly store: MeshStore;
  readonly clock: Clock;
  readonly list: () => ServerList;
  readonly allowedAddresses: readonly string[];
  readonly onTrouble: (message: string) => void;
};

/** What lies over the list of servers at run time: servers that registered themselves, and what was tuned. */
export class RunTime {
  readonly registrations: Registrations;
  readonly tuning: Tuning;
  /** Resolves and checks the address of a server elsewhere. @throws GantryError address_not_allowed */
  readonly reach: (url: URL) => Promise<PinnedAddress>;
  readonly #list: () => ServerList;

  constructor(options: RunTimeOptions) {
    const { list, store, allowedAddresses } = options;
    const rules = new AddressRules(allowedAddresses);
    this.reach = (url) => pinAddress(url, rules);
    this.#list = list;
    this.registrations = new Registrations({ ...options, onChange: () => list().again() });
    this.tuning = new Tuning(store);
  }

  /** The servers that registered themselves, each with all its instances. */
  get servers(): readonly ServerSpec[] {
    const places = Map.groupBy(this.registrations.all, ({ service }) => service);
    return [...places].map(([service, instances]) =>
      registeredSpec(
        service,
        instances.map(({ number, url, id }) => ({ number, url, id })),
      ),
    );
  }

  over(specs: readonly ServerSpec[]): readonly ServerSpec[] {
    return this.tuning.over(specs);
  }

  /** @throws GantryError address_not_allowed for a server elsewhere that may not be reached */
  async admit(specs: readonly ServerSpec[]): Promise<void> {
    const places = specs.flatMap(({ source }) => (source.kind === 'url' ? source.places : []));
    await Promise.all(places.map(({ url }) => this.reach(new URL(url))));
  }

  /** Reads what could not be read so far, and carries it out where the list is in force already. */
  async load(isListed: boolean): Promise<void> {
    const [some, others] = await Promise.all([this.registrations.load(), this.tuning.load()]);
    if (isListed && (some || others)) await this.#list().again();
  }
}

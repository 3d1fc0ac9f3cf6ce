import { reason, type ServerSpec, serverDisabled, sourceHeaders, sourceLabel } from './kernel/index.ts';
import type { MeshServerView } from './lifecycle/index.ts';

/**
 * Servers that are in the configuration and are not run: they have a name and a reason, and no room that runs servers
 * hears of them.
 */
export class DisabledServers {
  readonly #urlOf: (spec: ServerSpec) => string;
  #specs = new Map<string, ServerSpec>();

  constructor(urlOf: (spec: ServerSpec) => string) {
    this.#urlOf = urlOf;
  }

  get names(): readonly string[] {
    return [...this.#specs.keys()];
  }

  /** Takes those that are disabled out of the list. @returns those that are to run */
  keep(specs: readonly ServerSpec[]): readonly ServerSpec[] {
    this.#specs = new Map(specs.filter(isDisabled).map((spec) => [spec.name, spec]));
    return specs.filter((spec) => !isDisabled(spec));
  }

  /** Null for a server that is not disabled, or not there. Handed out alone. */
  readonly why = (server: string): string | null => this.#specs.get(server)?.disabled ?? null;

  /** @throws GantryError invalid_state */
  refuse(server: string): void {
    const why = this.why(server);
    if (why !== null) throw serverDisabled(server, why);
  }

  view(server: string): MeshServerView | null {
    const spec = this.#specs.get(server);
    return spec === undefined ? null : disabledView(spec, this.#urlOf(spec));
  }
}

function isDisabled({ disabled }: ServerSpec): boolean {
  return disabled !== null;
}

function disabledView(spec: ServerSpec, url: string): MeshServerView {
  return {
    name: spec.name,
    state: 'disabled',
    reason: reason('disabled', spec.disabled ?? ''),
    nextTryAt: null,
    origin: spec.origin,
    source: sourceLabel(spec.source),
    sharing: spec.sharing,
    network: spec.network,
    resources: spec.resources,
    breaker: spec.breaker,
    health: spec.health,
    envKeys: Object.keys(spec.env),
    headerKeys: Object.keys(sourceHeaders(spec.source)),
    replicas: { desired: 0, ready: 0, total: 0, min: spec.replicas, max: spec.scaling.max, spare: 0 },
    idle: null,
    callsInFlight: 0,
    balance: spec.balance,
    retries: spec.retries,
    era: null,
    protocolVersion: null,
    capabilities: {},
    serverInfo: {},
    toolCount: 0,
    url,
    dependsOn: spec.dependsOn,
    rollout: null,
  };
}

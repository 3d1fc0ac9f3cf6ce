/** Ports for servers that want one of their own; both ends belong to it. */
export type PortRange = { readonly first: number; readonly last: number };

/** What the compose file publishes by default (docs/api.md, Fixed names). */
export const defaultPortRange: PortRange = { first: 3001, last: 3019 };

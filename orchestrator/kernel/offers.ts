import type { ToolView } from './views.ts';

/** An entry of a list, as its server wrote it. */
export type Listed = Readonly<Record<string, unknown>>;

/** What a server offers, list by list and in its own order, and what it says about itself. */
export type Offers = {
  readonly tools: readonly ToolView[];
  readonly prompts: readonly Listed[];
  readonly resources: readonly Listed[];
  readonly resourceTemplates: readonly Listed[];
  readonly instructions: string | null;
};

export type OfferKind = Exclude<keyof Offers, 'instructions'>;

/** How each list is asked for, what a server declares that has it, and what an entry is known by. */
export const OFFER_LISTS: Readonly<
  Record<OfferKind, { readonly method: string; readonly capability: string; readonly id: string }>
> = {
  tools: { method: 'tools/list', capability: 'tools', id: 'name' },
  prompts: { method: 'prompts/list', capability: 'prompts', id: 'name' },
  resources: { method: 'resources/list', capability: 'resources', id: 'uri' },
  resourceTemplates: { method: 'resources/templates/list', capability: 'resources', id: 'uriTemplate' },
};

export const OFFER_KINDS = Object.keys(OFFER_LISTS) as readonly OfferKind[];

/** What was stored once, by whichever version: null where it is no such thing. */
export function readOffers(value: unknown): Offers | null {
  const given = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(given.tools)) return null;
  const list = (kind: OfferKind): readonly Listed[] => (Array.isArray(given[kind]) ? given[kind] : []);
  return {
    tools: given.tools,
    prompts: list('prompts'),
    resources: list('resources'),
    resourceTemplates: list('resourceTemplates'),
    instructions: typeof given.instructions === 'string' ? given.instructions : null,
  };
}

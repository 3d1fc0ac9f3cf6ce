import packageJson from '../../../package.json' with { type: 'json' };
import type { Member } from './merged-lists.ts';

/** How Gantry introduces itself where it stands for several servers. */
export const OWN_INFO = { name: 'gantry', version: packageJson.version };

/** What several servers together can do; one that cannot answers so itself. */
export const OWN_CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  completions: {},
  logging: {},
};

/** Instructions are read by models: so much of one server must not push out the others. */
const MAX_CHARS_EACH = 4000;

/** How names are made here, and what each server says of itself. */
export function instructionsOf(members: readonly Member[]): string {
  const names = members.filter(({ offers }) => offers !== null).map(({ server }) => server);
  const rule = `These are the tools, prompts and resources of several MCP servers (${names.join(', ')}). The name of a tool or prompt is server__name, the URI of a resource server+uri.`;
  const said = members.flatMap(({ server, offers }) => {
    const text = offers?.instructions?.trim() ?? '';
    return text === '' ? [] : [`# ${server}\n${text.slice(0, MAX_CHARS_EACH)}`];
  });
  return [rule, ...said].join('\n\n');
}

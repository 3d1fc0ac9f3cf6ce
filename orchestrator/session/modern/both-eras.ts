/** Requests that both eras have. Everything else is answered by Gantry or does not exist on the other side. */
export const COMMON_METHODS: ReadonlySet<string> = new Set([
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
]);

/** The requests of a server that are `inputRequests` without a session, and the capability a client declares for each. */
export const ASKS: Readonly<Record<string, string>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
};

/** What a server of one era can be told of a client of the other. */
const TELLABLE = ['elicitation', 'experimental', 'extensions', 'roots', 'sampling'];

/** What a client of one era can be offered by a server of the other. */
const OFFERED = ['tools', 'prompts', 'resources', 'completions', 'logging', 'experimental', 'extensions'];

/** From the least severe log message to the most. */
export const SEVERITIES = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

type Capabilities = Readonly<Record<string, unknown>>;

/** Capabilities of a client that mean the same in both eras. */
export function toldOf(capabilities: Capabilities): Record<string, unknown> {
  return only(TELLABLE, capabilities);
}

/** Capabilities of a server that mean the same in both eras. */
export function offeredOf(capabilities: Capabilities): Record<string, unknown> {
  return only(OFFERED, capabilities);
}

function only(keys: readonly string[], capabilities: Capabilities): Record<string, unknown> {
  return Object.fromEntries(Object.entries(capabilities).filter(([key]) => keys.includes(key)));
}

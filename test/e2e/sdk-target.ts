import type { Json } from './harness.ts';
import { imageOf } from './own-server.ts';

/** A tool, and how its result reads when all went well. */
type Tool = { readonly tool: string; readonly args: Json; readonly says: RegExp };

/** A server that the official clients are tried on: what it is made of, and what its tools are called. */
export type Target = {
  readonly title: string;
  readonly entry: () => Promise<Json>;
  /** The name it gives itself. */
  readonly serverName: string;
  readonly lists: readonly string[];
  /** Reports 1, 2, 3 and so on while it works. */
  readonly progress: Tool;
  /** Goes on for longer than any test, reporting progress. */
  readonly endless: Omit<Tool, 'says'>;
  readonly elicitation: Tool;
  readonly sampling: Tool;
  readonly roots: Tool;
  /** A resource, and a tool that makes the server say it has changed. */
  readonly resource: { readonly uri: string; readonly touch: Omit<Tool, 'says'> };
  /** A tool that tells what the process has seen: `{"cancelled": 1, …}`. */
  readonly stats?: string;
};

/** What the clients answer when they are asked. */
export const NAME = 'Ada';
export const COMPLETION = 'sampled by the test';
export const ROOT = 'file:///of-the-test';

export const EVERYTHING: Target = {
  title: 'everything',
  entry: async () => ({
    npm: '@modelcontextprotocol/server-everything@2026.8.31',
    bin: 'mcp-server-everything',
    args: ['stdio'],
  }),
  serverName: 'mcp-servers/everything',
  lists: ['echo', 'get-sum', 'trigger-long-running-operation'],
  progress: {
    tool: 'trigger-long-running-operation',
    args: { duration: 1, steps: 5 },
    says: /Long running operation completed/,
  },
  endless: { tool: 'trigger-long-running-operation', args: { duration: 600, steps: 6000 } },
  elicitation: { tool: 'trigger-elicitation-request', args: {}, says: new RegExp(`Name: ${NAME}`) },
  sampling: {
    tool: 'trigger-sampling-request',
    args: { prompt: 'x', maxTokens: 5 },
    says: new RegExp(COMPLETION),
  },
  roots: { tool: 'get-roots-list', args: {}, says: new RegExp(ROOT) },
  resource: {
    uri: 'demo://resource/static/document/features.md',
    touch: { tool: 'toggle-subscriber-updates', args: {} },
  },
};

const conformance: Target = {
  title: 'conformance',
  entry: async () => ({ image: await imageOf('conformance') }),
  serverName: 'conformance-stdio-fixture',
  lists: ['test_simple_text', 'test_tool_with_progress', 'bridge_echo'],
  progress: { tool: 'bridge_sleep', args: { ms: 500 }, says: /^slept$/ },
  endless: { tool: 'bridge_sleep', args: { ms: 600_000 } },
  elicitation: {
    tool: 'test_input_required_result_elicitation',
    args: {},
    says: new RegExp(`^Hello, ${NAME}!$`),
  },
  sampling: {
    tool: 'test_input_required_result_sampling',
    args: {},
    says: new RegExp(`^${COMPLETION}$`),
  },
  roots: { tool: 'test_input_required_result_list_roots', args: {}, says: new RegExp(`^${ROOT}$`) },
  resource: { uri: 'test://watched-resource', touch: { tool: 'bridge_unsolicited', args: {} } },
  stats: 'bridge_stats',
};

const sessionsOnly: Target = {
  ...conformance,
  title: 'conformance without discover',
  entry: async () => ({ ...(await conformance.entry()), env: { MCP_FIXTURE_ERA: 'legacy' } }),
};

export const TARGETS: readonly Target[] = [EVERYTHING, conformance, sessionsOnly];

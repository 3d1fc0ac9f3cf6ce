/** Revisions without sessions, newest first. */
export const MODERN_VERSIONS = ['2026-07-28'] as const;

/** What MCP itself puts into `_meta` begins with this. */
export const META_PREFIX = 'io.modelcontextprotocol/';
export const VERSION_KEY = `${META_PREFIX}protocolVersion`;
export const CAPABILITIES_KEY = `${META_PREFIX}clientCapabilities`;
export const CLIENT_INFO_KEY = `${META_PREFIX}clientInfo`;
export const LOG_LEVEL_KEY = `${META_PREFIX}logLevel`;
export const SERVER_INFO_KEY = `${META_PREFIX}serverInfo`;
export const SUBSCRIPTION_KEY = `${META_PREFIX}subscriptionId`;

/** JSON-RPC numbers of MCP 2026-07-28 about the envelope of a request. */
export const HEADER_MISMATCH = -32020;
export const MISSING_CAPABILITY = -32021;
export const UNSUPPORTED_VERSION = -32022;

/** Where a method names its object; the `Mcp-Name` header has to say the same. */
export const NAME_PARAM: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

export { createApp, createServerPortApp } from './app.ts';
export { readJson } from './body.ts';
export type * from './control.ts';
export { type ErrorAnswer, mcpError, restError, statusOf, tellable } from './error-map.ts';
export type { Json } from './json-text.ts';
export { type McpRouteOptions, mcpRoute } from './mcp/route.ts';
export { type SseRouteOptions, sseRoute } from './mcp/sse-route.ts';
export type { HttpOptions } from './options.ts';
export { type Listening, listen, SERVER_LIMITS } from './server.ts';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import type { ExecutionContext } from 'ava';
import { baseUrl } from './harness.ts';
import { mcpPath } from './mcp-session.ts';

export type Connected = { readonly client: Client; readonly transport: StreamableHTTPClientTransport };

/** The official client on a server of the stack. Its session is ended after the test. */
export async function connect(
  t: ExecutionContext,
  server: string,
  options: { readonly capabilities?: ClientCapabilities; readonly prepare?: (client: Client) => void } = {},
): Promise<Connected> {
  const client = new Client(
    { name: 'gantry-tests', version: '1.0.0' },
    { capabilities: options.capabilities ?? {} },
  );
  options.prepare?.(client);
  const transport = new StreamableHTTPClientTransport(new URL(mcpPath(server), baseUrl));
  // The SDK's own types disagree with each other under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0]);
  t.teardown(async () => {
    // A test may have ended the session already, or the server died: there is nothing left to end then.
    await transport.terminateSession().catch(() => {});
    await client.close();
  });
  return { client, transport };
}

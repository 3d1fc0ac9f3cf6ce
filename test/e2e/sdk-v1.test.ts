import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { sdkMatrix } from './sdk-matrix.ts';
import type { Question, Sdk } from './sdk-row.ts';
import { COMPLETION, EVERYTHING, NAME, ROOT, TARGETS } from './sdk-target.ts';

type SdkTransport = StreamableHTTPClientTransport | SSEClientTransport;

/** The first version of the official client: it knows only sessions. */
const sdk = (title: string, at: Sdk['at'], open: (url: URL, fetch: FetchLike) => SdkTransport): Sdk => ({
  title,
  era: 'legacy',
  at,
  connect: async (url, fetch, can) => {
    const capabilities = Object.fromEntries(can.map((question) => [question, {}]));
    const client = new Client({ name: 'gantry-tests', version: '1.0.0' }, { capabilities });
    const asked: Question[] = [];
    answerQuestions(client, can, asked);
    const transport = open(url, fetch);
    let version = '';
    const setVersion = transport.setProtocolVersion.bind(transport);
    transport.setProtocolVersion = (agreed) => {
      version = agreed;
      setVersion(agreed);
    };
    // The SDK's own types disagree with each other under exactOptionalPropertyTypes.
    await client.connect(transport as Parameters<Client['connect']>[0]);
    return {
      version,
      serverName: client.getServerVersion()?.name,
      asked,
      missing: {},
      toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: (name, args, { onProgress, signal } = {}) =>
        client.callTool({ name, arguments: args }, undefined, {
          ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
          ...(signal && { signal }),
        }),
      watch: async (uri, onUpdate) => {
        client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) =>
          onUpdate(params.uri),
        );
        await client.subscribeResource({ uri });
      },
      close: async () => {
        if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession();
        await client.close();
      },
    };
  },
});

function answerQuestions(client: Client, can: readonly Question[], asked: Question[]): void {
  const answers: Record<Question, () => void> = {
    elicitation: () =>
      client.setRequestHandler(ElicitRequestSchema, () => {
        asked.push('elicitation');
        return { action: 'accept', content: { name: NAME } };
      }),
    sampling: () =>
      client.setRequestHandler(CreateMessageRequestSchema, () => {
        asked.push('sampling');
        return { role: 'assistant', model: 'm', content: { type: 'text', text: COMPLETION } };
      }),
    roots: () =>
      client.setRequestHandler(ListRootsRequestSchema, () => {
        asked.push('roots');
        return { roots: [{ uri: ROOT }] };
      }),
  };
  for (const question of can) answers[question]();
}

sdkMatrix(
  sdk('sdk 1.32', 'mcp', (url, fetch) => new StreamableHTTPClientTransport(url, { fetch })),
  TARGETS,
);
sdkMatrix(
  sdk('sdk 1.32 over sse', 'sse', (url, fetch) => new SSEClientTransport(url, { fetch })),
  [EVERYTHING],
);

import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { sdkMatrix } from './sdk-matrix.ts';
import { type Question, type Sdk, type SdkClient, VERSION_OF } from './sdk-row.ts';
import { COMPLETION, EVERYTHING, NAME, ROOT, TARGETS } from './sdk-target.ts';

type Mode = 'legacy' | 'auto' | { readonly pin: string };

/** The second version of the official client: it knows both eras, and asks the server which one it may use. */
function sdk(title: string, era: Sdk['era'], mode: Mode, at: Sdk['at'] = 'mcp'): Sdk {
  return {
    title,
    era,
    at,
    connect: async (url, fetch, can) => {
      const capabilities = Object.fromEntries(can.map((question) => [question, {}]));
      const options = { capabilities, versionNegotiation: { mode } };
      const client = new Client({ name: 'gantry-tests', version: '1.0.0' }, options);
      const asked: Question[] = [];
      answerQuestions(client, can, asked);
      const transport =
        at === 'sse'
          ? new SSEClientTransport(url, { fetch })
          : new StreamableHTTPClientTransport(url, { fetch });
      await client.connect(transport);
      return {
        version: client.getNegotiatedProtocolVersion() ?? 'none',
        serverName: client.getServerVersion()?.name,
        asked,
        missing: era === 'modern' ? missingInModern(client) : missingInLegacy(client),
        toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
        call: (name, args, { onProgress, signal } = {}) =>
          client.callTool(
            { name, arguments: args },
            {
              ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
              ...(signal && { signal }),
            },
          ),
        watch: async (uri, onUpdate) => {
          client.setNotificationHandler('notifications/resources/updated', ({ params }) =>
            onUpdate(params.uri),
          );
          if (era === 'modern') await client.listen({ resourceSubscriptions: [uri] });
          else await client.subscribeResource({ uri });
        },
        close: async () => {
          const hasSession = era === 'legacy' && transport instanceof StreamableHTTPClientTransport;
          if (hasSession) await transport.terminateSession();
          await client.close();
        },
      };
    },
  };
}

function missingInModern(client: Client): SdkClient['missing'] {
  return {
    ping: () => client.ping(),
    'resources/subscribe': () => client.subscribeResource({ uri: 'test://watched-resource' }),
    'logging/setLevel': () => client.setLoggingLevel('info'),
  };
}

function missingInLegacy(client: Client): SdkClient['missing'] {
  return {
    'server/discover': () => client.discover(),
    'subscriptions/listen': () => client.listen({ toolsListChanged: true }),
  };
}

function answerQuestions(client: Client, can: readonly Question[], asked: Question[]): void {
  const answers: Record<Question, () => void> = {
    elicitation: () =>
      client.setRequestHandler('elicitation/create', () => {
        asked.push('elicitation');
        return { action: 'accept', content: { name: NAME } };
      }),
    sampling: () =>
      client.setRequestHandler('sampling/createMessage', () => {
        asked.push('sampling');
        return { role: 'assistant', model: 'm', content: { type: 'text', text: COMPLETION } };
      }),
    roots: () =>
      client.setRequestHandler('roots/list', () => {
        asked.push('roots');
        return { roots: [{ uri: ROOT }] };
      }),
  };
  for (const question of can) answers[question]();
}

sdkMatrix(sdk('sdk 2.4 legacy', 'legacy', 'legacy'), TARGETS);
// Gantry speaks both eras for every server, so asking leads to the newer one.
sdkMatrix(sdk('sdk 2.4 auto', 'modern', 'auto'), TARGETS);
sdkMatrix(sdk('sdk 2.4 modern', 'modern', { pin: VERSION_OF.modern }), TARGETS);
sdkMatrix(sdk('sdk 2.4 over sse', 'legacy', 'legacy', 'sse'), [EVERYTHING]);

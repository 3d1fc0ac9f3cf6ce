import * as z from 'zod';
import { ANONYMOUS } from '../kernel/index.ts';
import { size, text } from './kinds.ts';
import { RegistrySettings } from './remote.ts';
import { Entry, serverNamePattern } from './schema.ts';
import { Sets } from './sets.ts';

const MiB = 1024 ** 2;
/** Both are held in memory as one string; V8 ends strings at about 512 MiB. */
const mostBytes = 256 * MiB;

const Token = z.strictObject({
  principal: text((value) =>
    value === ANONYMOUS
      ? 'is the name of callers without a token: choose another'
      : /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/.test(value)
        ? null
        : 'must be a name of letters, digits and . _ @ -, at most 128',
  ).describe('Who calls with this token.'),
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/)
    .describe("SHA-256 of the token in hex: printf %s 'the token' | sha256sum"),
  scopes: z
    .array(z.enum(['call', 'admin']))
    .min(1)
    .default(['call'])
    .describe('call reads and calls tools; admin changes servers and containers.'),
});

/** Everything but the servers: read once at start. */
const settingsShape = {
  auth: z
    .strictObject({
      tokens: z
        .array(Token)
        .max(1000)
        .default([])
        .describe('Bearer tokens. None: callers are "anonymous", loopback only.'),
    })
    .prefault({})
    .describe('Who may call.'),
  http: z
    .strictObject({
      allowedOrigins: z
        .array(text(originProblem))
        .default([])
        .describe('Origins beside localhost, 127.0.0.1 and [::1], such as https://chat.example.com.'),
      allowedHosts: z
        .array(text(hostProblem))
        .default([])
        .describe('Host headers beside localhost, 127.0.0.1 and [::1]; without a port, any port.'),
      maxBodyBytes: size(1024, mostBytes).default('4MiB').describe('Longest request body.'),
    })
    .prefault({})
    .describe('What the HTTP side accepts.'),
  limits: z
    .strictObject({
      maxLineBytes: size(1024, mostBytes)
        .default('16MiB')
        .describe(
          'Longest line a server may write to stdout; a longer one fails the replica with line_too_long.',
        ),
      memoryBudget: size(64 * MiB, Number.MAX_SAFE_INTEGER)
        .optional()
        .describe(
          'Memory limits of all replicas that run at once, together. By default twice the memory of the engine, less a reserve for the engine itself.',
        ),
    })
    .prefault({})
    .describe('Bounds for every server.'),
  registry: RegistrySettings.prefault({}).describe('Servers that are not run here.'),
};

/** gantry.yaml without the servers. Those are checked one by one, so that one cannot hide the next. */
export const SettingsFile = z.strictObject({
  $schema: z.string().optional(),
  ...settingsShape,
  sets: Sets,
  servers: z.unknown().optional(),
  mcpServers: z.unknown().optional(),
});

/** The whole of gantry.yaml, for editors (`schema/gantry.schema.json`). */
export const GantryFile = z
  .strictObject({
    $schema: z.string().optional().describe('For editors.'),
    ...settingsShape,
    sets: Sets,
    servers: z.record(z.string().regex(serverNamePattern), Entry).nullish().describe('The servers, by name.'),
    mcpServers: z
      .record(
        z.string().regex(serverNamePattern),
        z.strictObject({
          command: z.enum(['npx', 'uvx', 'docker']).describe('Converted to npm, pypi or image.'),
          args: z.array(z.string()).optional().describe('As desktop clients write them.'),
          env: z.record(z.string(), z.string()).optional().describe('Environment variables.'),
          type: z.literal('stdio').optional().describe('The only transport that can be converted.'),
        }),
      )
      .nullish()
      .describe('Servers in the form of desktop clients; converted to entries.'),
  })
  .meta({ title: 'gantry.yaml', description: 'Configuration of Gantry.' });

function originProblem(value: string): string | null {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/.test(value)) {
    return 'must be an origin such as https://chat.example.com, without a path or wildcard';
  }
  if (!/^https?:/.test(value)) return null;
  const origin = URL.canParse(value) ? new URL(value).origin : null;
  return origin === value
    ? null
    : `must be an origin as browsers send it${origin === null ? '' : `: ${origin}`}`;
}

function hostProblem(value: string): string | null {
  const host = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(\d{1,5}))?$/.exec(value);
  if (host !== null && Number(host[1] ?? 1) <= 65_535) return null;
  return 'must be a lower-case host name or address, with or without a port, such as gantry.example.com:7400';
}

import * as z from 'zod';
import { Balance, Retries } from './balance.ts';
import { BreakerKeys, HealthKeys } from './breaker.ts';
import { dataPathProblem } from './data-path.ts';
import { DisabledReason } from './disabled.ts';
import { Headers } from './headers.ts';
import { milliseconds, plain, size, text } from './kinds.ts';
import { Url } from './remote.ts';
import { IdleRest, Replicas } from './scaling.ts';
import { buildPathProblem, imageProblem, parseNpm, parsePypi } from './source-text.ts';
import { ToolFilterKeys } from './tool-filter.ts';
import { SecretValue } from './value-refs.ts';

/** What the kernel and the API agree on (docs/api.md, Fixed names). */
export const serverNamePattern = /^[a-z][a-z0-9-]{0,62}$/;

const MiB = 1024 ** 2;
/** Docker refuses less (moby, linuxMinMemory). */
const leastMemoryBytes = 6 * MiB;
/** GANTRY_STOP_GRACE (compose/stack.env) is 40 s; what is left of it is for ending the containers themselves. */
const longestDrainMs = 30_000;
/** The highest pid Linux can give out (`PID_MAX_LIMIT`). */
const mostPids = 4_194_304;

const Bin = text((value) =>
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)
    ? null
    : 'must be the name of a program, without a path or arguments',
);

const Command = z
  .array(plain)
  .min(1)
  .max(256)
  .refine((command) => command[0] !== '', { error: 'must begin with the program' });

const EnvName = /^[A-Za-z_][A-Za-z0-9_.-]{0,255}$/;

export const Resources = z.strictObject({
  memory: size(leastMemoryBytes, Number.MAX_SAFE_INTEGER)
    .default('256MiB')
    .describe('Memory of one replica, swap included: 256MiB, 256Mi, 256m or a number of bytes.'),
  cpus: z
    .number()
    .min(0.01)
    .max(1024)
    .default(1)
    .describe('Cores of one replica; fractions such as 0.5 are fine.'),
  pids: z.int().min(1).max(mostPids).default(128).describe('Processes and threads of one replica.'),
});

export const Timeouts = z.strictObject({
  readyMs: milliseconds(1).default(60_000).describe('From container start to the completed MCP handshake.'),
  callTimeoutMs: milliseconds(1)
    .default(60_000)
    .describe("From the server's last message for a call; progress counts, keep-alives of Gantry do not."),
  maxCallMs: milliseconds(1)
    .default(3_600_000)
    .describe('Ceiling of one call, whatever the server says meanwhile.'),
  sessionIdleMs: milliseconds(1)
    .default(1_800_000)
    .describe('A session without a request for so long is ended.'),
  drainMs: milliseconds(0)
    .refine((value) => value <= longestDrainMs, {
      error: `must be at most ${longestDrainMs}, because the stack itself is stopped after 40 s`,
    })
    .meta({ maximum: longestDrainMs })
    .default(20_000)
    .describe('How long calls in flight may go on when a replica or Gantry stops.'),
});

export const Rollout = z.strictObject({
  watchMs: milliseconds(0)
    .max(600_000)
    .default(10_000)
    .describe('New replicas have to stay up for so long before the old ones are given up.'),
  sessionsMs: milliseconds(0)
    .default(1_800_000)
    .describe('How long sessions on old replicas may go on after a change.'),
});

/** One server as a user writes it: the value under `servers.<name>`, and the API's body without its name. */
export const Entry = z
  .strictObject({
    npm: text((value) => problemIn(parseNpm(value)))
      .optional()
      .meta({
        description:
          'Package of the npm registry with an exact version; without one it is resolved once and pinned.',
        examples: ['@modelcontextprotocol/server-everything@2026.8.31'],
      }),
    pypi: text((value) => problemIn(parsePypi(value)))
      .optional()
      .meta({
        description:
          'Package of the Python index with an exact version; without one it is resolved once and pinned.',
        examples: ['mcp-server-time==2026.8.31'],
      }),
    image: text(imageProblem)
      .optional()
      .meta({ description: 'Image to run, by tag or digest.', examples: ['mcp/time:latest'] }),
    build: text(buildPathProblem)
      .optional()
      .meta({
        description: 'Directory with a Dockerfile, beside or below gantry.yaml. Not over HTTP.',
        examples: ['./servers/clock'],
      }),
    url: Url.optional().meta({
      description:
        'Where a server is that is not run here: MCP over HTTP, within registry.allowedAddresses. A list makes one pool.',
      examples: ['http://10.1.2.3:8080/mcp'],
    }),
    headers: Headers.default({}).describe(
      'Headers of every request to a server elsewhere: a text, or {file: secrets/token} for one that stands in a file beside gantry.yaml (not over HTTP). Values are never shown by the API. url only.',
    ),
    bin: Bin.optional().describe(
      'Which program of the package to run, where it has several. npm and pypi only.',
    ),
    command: Command.optional().describe(
      "Program and first arguments instead of the image's own. image and build only.",
    ),
    args: z.array(plain).max(256).default([]).describe('Arguments after the program.'),
    env: z
      .record(z.string().regex(EnvName), SecretValue)
      .default({})
      .describe(
        'Environment variables: a text, or {file: secrets/token} for one that stands in a file beside gantry.yaml (not over HTTP). Values are never shown by the API.',
      ),
    sharing: z
      .enum(['session', 'shared', 'principal', 'call'])
      .default('session')
      .describe(
        'How replicas are handed out: session = one per MCP session, shared = anyone uses any, principal = one per caller, call = a fresh one per call.',
      ),
    replicas: Replicas.default(1).describe(
      'Standing replicas: a number, or min, max and warm spares in advance.',
    ),
    idle: IdleRest.prefault({}).describe('When standing replicas that nobody uses are paused and stopped.'),
    maxSessions: z
      .int()
      .min(0)
      .max(1000)
      .default(20)
      .describe('Replicas for sessions beyond the standing ones; over it 503 with Retry-After.'),
    resources: Resources.prefault({}).describe('Limits of one replica.'),
    network: z
      .enum(['none', 'internet'])
      .default('none')
      .describe(
        'internet never reaches other replicas, the engine, Redis, the orchestrator or metadata addresses.',
      ),
    channel: z
      .enum(['auto', 'attach'])
      .default('auto')
      .describe(
        "How a replica's stdin and stdout are reached: auto = over a socket where the image is built on the bridge image, attach = through the engine, always.",
      ),
    runtime: z
      .enum(['runc', 'runsc'])
      .default('runc')
      .describe(
        'What runs the containers. runsc is gVisor: slower, with a kernel of its own; without network.',
      ),
    data: text(dataPathProblem)
      .optional()
      .meta({
        description:
          'Directory inside the container for a named volume that outlives it. Without it nothing but a bounded tmpfs is writable.',
        examples: ['/data'],
      }),
    timeouts: Timeouts.prefault({}).describe('All in milliseconds.'),
    breaker: BreakerKeys.prefault({}).describe('When a replica is taken out and replaced.'),
    health: HealthKeys.prefault({}).describe('How a silent replica is asked whether it lives.'),
    balance: Balance.prefault({}).describe('How calls are spread over replicas; sharing shared and call.'),
    retries: Retries.prefault({}).describe('How often calls are tried again that may be.'),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe(
        'Port of 127.0.0.1 on which this server alone answers at /mcp; inside the published range (3001-3019).',
      ),
    dependsOn: z
      .array(z.string())
      .max(100)
      .default([])
      .describe('Servers that have to be ready before this one is started.'),
    rollout: Rollout.prefault({}).describe('How replicas are replaced when the server is changed.'),
    tools: ToolFilterKeys.prefault({}).describe(
      'Which of its tools are listed and can be called, over every address alike.',
    ),
    disabled: DisabledReason.optional().describe('Why this server is not run; the API shows it.'),
  })
  .meta({
    description: 'One MCP server. Exactly one of npm, pypi, image, build and url says where it comes from.',
    oneOf: [
      { required: ['npm'] },
      { required: ['pypi'] },
      { required: ['image'] },
      { required: ['build'] },
      { required: ['url'] },
    ],
  });

export type Entry = z.output<typeof Entry>;

function problemIn(parsed: object | string): string | null {
  return typeof parsed === 'string' ? parsed : null;
}

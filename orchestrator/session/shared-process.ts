import { type JsonRpcOutcome, type ServerSpec, shortId } from '../kernel/index.ts';
import type { Handshake, Router } from '../routing/index.ts';
import type { Backend } from './backend.ts';
import { COMMON_METHODS } from './modern/both-eras.ts';

/** Revisions with sessions, newest first. */
export const LEGACY_VERSIONS = [
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2024-10-07',
] as const;

/**
 * Capabilities that a shared process can serve to many clients. The others need to know which client is meant
 * (log level, subscriptions, tasks, change notices), which stdio cannot tell: they are withheld.
 */
const SHAREABLE = ['tools', 'prompts', 'resources', 'completions'] as const;
const SHAREABLE_METHODS: ReadonlySet<string> = new Set(['ping', ...COMMON_METHODS]);

/**
 * Sharing `shared`, `principal` and `call`: the replica was greeted by Gantry itself, each call is leased one,
 * and the client's initialize is answered from what the replica said then.
 * @param handshake what one of them said when it was greeted
 */
export function sharedProcess(
  router: Router,
  spec: ServerSpec,
  principal: string,
  handshake: Handshake,
): Backend {
  const session = shortId();
  return {
    takeover: 'shared',
    replica: null,
    over: new Promise(() => {}), // one replica's death is not the session's: the next call gets another
    async initialize(params) {
      return outcomeOf({
        protocolVersion: agreedVersion(params.protocolVersion, handshake.protocolVersion),
        capabilities: shareable(handshake.capabilities),
        serverInfo: handshake.serverInfo,
        ...(handshake.instructions === null ? {} : { instructions: handshake.instructions }),
      });
    },
    call(method, params, options) {
      if (!SHAREABLE_METHODS.has(method)) return Promise.resolve(methodNotFound(method, spec));
      return router.call(spec.name, principal, { method, params }, { ...options, session });
    },
    notify: () => Promise.resolve(), // initialized and the like concern this session, not the shared process
    respond: () => Promise.resolve(), // a shared process is given no client to ask
    listen: () => {},
    close: () => {},
  };
}

/** The client's version where the replica's is as new or newer, else the replica's. */
export function agreedVersion(asked: unknown, spoken: string): string {
  const askedRank = LEGACY_VERSIONS.indexOf(asked as (typeof LEGACY_VERSIONS)[number]);
  const spokenRank = LEGACY_VERSIONS.indexOf(spoken as (typeof LEGACY_VERSIONS)[number]);
  return askedRank >= 0 && askedRank >= spokenRank ? (asked as string) : spoken;
}

/** Without what needs to know which client is meant, in all of their details too. */
export function shareable(capabilities: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(SHAREABLE.filter((key) => key in capabilities).map((key) => [key, {}]));
}

function outcomeOf(result: unknown): JsonRpcOutcome {
  return { ok: true, result, raw: JSON.stringify(result) };
}

function methodNotFound(method: string, spec: ServerSpec): JsonRpcOutcome {
  const message = `${method} is not available: server ${spec.name} is shared between clients (sharing: ${spec.sharing}).`;
  return { ok: false, error: { code: -32601, message } };
}

import type { FakeProcess, FakeProgram } from '../fakes/fake-engine.ts';

type Message = { readonly id?: number; readonly method: string; readonly params?: Record<string, unknown> };
/** What a program does with a question it does not speak. */
type Otherwise = 'refuse' | 'ignore' | 'exit';

export type EraProgramOptions = {
  readonly eras: readonly ('legacy' | 'modern')[];
  readonly otherwise?: Otherwise;
  /** The first message decides for good, as in servers made with some libraries. */
  readonly stays?: boolean;
};

const INFO = { name: 'of-eras', version: '1' };
const LEGACY = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: INFO };
const MODERN = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {} },
  _meta: { 'io.modelcontextprotocol/serverInfo': INFO },
};
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';

/** A server of one era or both; `tools/list` answers only requests of an era that it speaks. */
export function eraProgram({ eras, otherwise = 'refuse', stays = false }: EraProgramOptions): FakeProgram {
  return (io) => {
    let spoken = eras;
    io.onEnd(() => io.exit(0));
    io.onLine((line) => {
      const message = JSON.parse(line) as Message;
      if (message.id === undefined || io.exited) return;
      const meta = (message.params?._meta ?? {}) as Record<string, unknown>;
      const era = VERSION_KEY in meta ? 'modern' : 'legacy';
      if (!spoken.includes(era)) return refuse(io, message, otherwise);
      if (stays) spoken = [era];
      answer(io, message, era);
    });
  };
}

function answer(io: FakeProcess, { id, method }: Message, era: 'legacy' | 'modern'): void {
  const result: Record<string, object> = {
    [era === 'legacy' ? 'initialize' : 'server/discover']: era === 'legacy' ? LEGACY : MODERN,
    'tools/list': { tools: [{ name: `tool-of-${era}` }] },
  };
  const error = { code: -32601, message: `Method not found: ${method}` };
  const found = result[method];
  print(io, found === undefined ? { id, error } : { id, result: found });
}

function refuse(io: FakeProcess, { id, method }: Message, how: Otherwise): void {
  if (how === 'exit') io.exit(1);
  if (how === 'refuse') print(io, { id, error: { code: -32601, message: `Method not found: ${method}` } });
}

function print(io: FakeProcess, message: object): void {
  io.stdout(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

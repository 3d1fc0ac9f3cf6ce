import type { FakeProgram } from '../fakes/fake-engine.ts';

type Listed = readonly { readonly name: string; readonly description?: string }[];

/** An MCP server as far as the handshake and a list of tools go; ends when its input does. */
export const mcpServer: FakeProgram = serverOf([{ name: 'a' }, { name: 'b' }], [{ name: 'c' }]);

/** A later version of it, with other tools. */
export const retooled: FakeProgram = serverOf(
  [{ name: 'b' }, { name: 'c', description: 'new' }],
  [{ name: 'd' }],
);

function serverOf(first: Listed, second: Listed): FakeProgram {
  return (io) => {
    io.onLine((line) => {
      const { id, method, params } = JSON.parse(line) as {
        id?: number;
        method: string;
        params?: { cursor?: string };
      };
      const answer = (result: object): void =>
        io.stdout(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
      if (method === 'initialize') {
        answer({
          protocolVersion: '2025-06-18',
          capabilities: { tools: {} },
          serverInfo: { name: 'fake', version: '1' },
        });
      }
      if (method === 'ping') answer({});
      if (method === 'refused') {
        io.stdout(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32050, message: 'no' } })}\n`);
      }
      if (method === 'tools/list') {
        answer(params?.cursor === undefined ? { tools: first, nextCursor: '2' } : { tools: second });
      }
    });
    io.onEnd(() => io.exit(0));
  };
}

/** Reads its input and says nothing on stdout. */
export const mute: FakeProgram = (io) => {
  io.stderr('waiting for a database\n');
  io.onEnd(() => io.exit(0));
};

export const exitsAtOnce: FakeProgram = (io) => {
  io.stderr('cannot find config\n');
  io.exit(3);
};

/** Completes the handshake, offers tools, and never lists them. */
export const unlisted: FakeProgram = (io) => {
  io.onLine((line) => {
    const { id, method } = JSON.parse(line) as { id?: number; method: string };
    if (method !== 'initialize') return;
    const result = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: {} };
    io.stdout(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
  });
  io.onEnd(() => io.exit(0));
};

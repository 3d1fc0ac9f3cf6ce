/**
 * A server that does one thing at a time, as text for `node -e`: `work` sleeps for `ms`, one call after the other;
 * `slow_down` makes the process with that host name ten times slower and says whether it was the one.
 */
export const WORKER_SERVER = `
const host = require('node:os').hostname();
const text = (value) => ({ content: [{ type: 'text', text: String(value) }] });
let factor = 1;
let last = Promise.resolve();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const tools = {
  host: async () => host,
  work: ({ ms }) => (last = last.then(() => sleep(ms * factor)).then(() => host)),
  slow_down: async (args) => {
    if (args.host !== host) return 'no';
    factor = 10;
    return 'slowed';
  },
};
const answer = async ({ method, params }) => {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'bench-worker', version: '1' },
      };
    case 'tools/list':
      return { tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })) };
    case 'tools/call':
      return text(await tools[params.name](params.arguments));
    default:
      return {};
  }
};
require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
  const message = JSON.parse(line);
  if (message.id === undefined) return;
  const result = await answer(message);
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }) + '\\n');
});
`;

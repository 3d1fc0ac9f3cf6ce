/**
 * A server that does nothing but echo, so that the time of a real one does not hide that of the stack. It is text
 * because it runs as `node -e` on the host and as `command` in a container, the very same program.
 */
export const ECHO_SERVER = `
const text = (value) => JSON.stringify({ content: [{ type: 'text', text: value }] });
const blobs = new Map();
const makeBlob = (bytes) => text('a line with \\n and \\" in it, and an é. '.repeat(bytes / 32).slice(0, bytes));
const results = {
  initialize: ({ protocolVersion }) =>
    JSON.stringify({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'bench-echo', version: '1.0.0' } }),
  'tools/list': () =>
    JSON.stringify({ tools: ['echo', 'blob', 'steps'].map((name) => ({ name, inputSchema: { type: 'object' } })) }),
  'tools/call': ({ name, arguments: { message, bytes, steps }, _meta }) => {
    if (name === 'crash') process.exit(3);
    if (name === 'steps') {
      for (let step = 1; step <= steps; step++) {
        const params = { progressToken: _meta.progressToken, progress: step, total: steps };
        out += JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params }) + '\\n';
      }
    }
    if (name !== 'blob') return text(message);
    if (!blobs.has(bytes)) blobs.set(bytes, makeBlob(bytes));
    return blobs.get(bytes);
  },
};
let rest = '';
let out = '';
process.stdin.setEncoding('utf8').on('data', (read) => {
  const lines = (rest + read).split('\\n');
  rest = lines.pop();
  for (const line of lines) {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) continue;
    const result = (results[method] ?? (() => '{}'))(params);
    out += '{"jsonrpc":"2.0","id":' + JSON.stringify(id) + ',"result":' + result + '}\\n';
  }
  if (out !== '') process.stdout.write(out);
  out = '';
}).on('end', () => process.exit(0));
`.trim();

/** Puts in front of the echo something that a bad server does. */
export const FLOODS: Readonly<Record<string, string>> = {
  'stderr without end': `
const noise = 'a line of noise on stderr, of no meaning\\n'.repeat(400);
const pour = () => process.stderr.write(noise, () => setImmediate(pour));
pour();
`.trim(),
  'garbage on stdout without end': `
const garbage = 'this is not a message\\n'.repeat(400);
const spill = () => process.stdout.write(garbage, () => setImmediate(spill));
spill();
`.trim(),
  'stdout byte by byte': `
const { writeSync } = require('node:fs');
const line = Buffer.from('{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\\n');
const drip = () => { for (const byte of line) writeSync(1, Uint8Array.of(byte)); setImmediate(drip); };
drip();
`.trim(),
};

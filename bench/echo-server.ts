/**
 * A server that does nothing but echo, so that the time of a real one does not hide that of the stack. It is text
 * because it runs as `node -e` on the host and as `command` in a container, the very same program.
 */
export const ECHO_SERVER = `
const answers = {
  initialize: (params) => ({
    protocolVersion: params.protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'bench-echo', version: '1.0.0' },
  }),
  'tools/list': () => ({
    tools: [{ name: 'echo', inputSchema: { type: 'object', properties: { message: { type: 'string' } } } }],
  }),
  'tools/call': ({ name, arguments: { message, bytes }, _meta }) => {
    if (name === 'crash') process.exit(3);
    return name === 'blob' ? blob(bytes) : text(message);
  },
};
const text = (value) => ({ content: [{ type: 'text', text: value }] });
const blobs = new Map();
const blob = (bytes) => blobs.get(bytes) ?? blobs.set(bytes, text('a line with \\n and \\" in it, and an é. '.repeat(bytes / 34).slice(0, bytes))).get(bytes);
let rest = '';
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  let out = '';
  for (const line of lines) {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) continue;
    out += JSON.stringify({ jsonrpc: '2.0', id, result: (answers[method] ?? (() => ({})))(params) }) + '\\n';
  }
  if (out !== '') process.stdout.write(out);
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

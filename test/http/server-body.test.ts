import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import { entryJsonSchema, parseServerBody } from '../../orchestrator/config/index.ts';
import { createBody } from '../../orchestrator/http/routes/server-body.ts';

const PACKAGE = {
  registryType: 'npm',
  identifier: 'weather-mcp',
  version: '1.0.0',
  transport: { type: 'stdio' },
};
const REMOTE = { type: 'streamable-http', url: 'https://weather.example/mcp' };
const NAME = 'io.example/weather';

const isDescribed = new Ajv2020({ strict: false, validateFormats: false }).compile(
  createBody(entryJsonSchema()),
);

for (const [what, body] of [
  ['an entry with its name', { name: 'weather', npm: 'weather-mcp@1.0.0' }],
  ['server.json with packages', { name: NAME, packages: [PACKAGE] }],
  ['server.json with remotes alone', { name: NAME, remotes: [REMOTE] }],
  ['server.json with both, one of them empty', { name: NAME, packages: [], remotes: [REMOTE] }],
  ['server.json as the registry answers it', { server: { name: NAME, remotes: [REMOTE] }, _meta: {} }],
  ['the same under another name', { server: { name: NAME, packages: [PACKAGE] }, as: 'sun', answers: {} }],
  ['mcpServers', { mcpServers: { weather: { command: 'npx', args: ['-y', 'weather-mcp@1.0.0'] } } }],
] as const) {
  test(`${what} is taken, and the document says so`, (t) => {
    t.true(parseServerBody(body).ok);
    t.true(isDescribed(body), JSON.stringify(isDescribed.errors));
  });
}

test('what is nothing of all that is refused, and the document says so', (t) => {
  for (const body of [{ name: NAME }, { name: NAME, packages: [] }, { server: { name: NAME } }, {}]) {
    t.false(parseServerBody(body).ok, JSON.stringify(body));
    t.false(isDescribed(body), JSON.stringify(body));
  }
});

import test from 'ava';
import { loadConfig, registeredSpec } from '../../orchestrator/config/index.ts';
import { mistake } from './mistake.ts';

function server(entry: string) {
  const loaded = loadConfig(`servers: {x: {${entry}}}`, { baseDir: '/' });
  return loaded.ok ? loaded.servers[0] : loaded.problems;
}

test('a url is a server with one place for each address, which takes nothing here', (t) => {
  t.like(server('url: "http://10.1.2.3:8080/mcp"'), {
    source: { kind: 'url', places: [{ number: 1, url: 'http://10.1.2.3:8080/mcp', id: null }], headers: {} },
    sharing: 'session',
    replicas: 1,
    scaling: { max: 1, warm: 0 },
    resources: { memoryBytes: 0, cpus: 0, pids: 0 },
  });
  t.like(server('sharing: shared, url: ["http://a.test/mcp", "https://b.test/mcp?key=1"]'), {
    source: { places: [{ number: 1 }, { number: 2, url: 'https://b.test/mcp?key=1' }] },
    replicas: 2,
    scaling: { max: 2 },
  });
});

test('allowed addresses are none unless they are listed', (t) => {
  const allowed = (text: string) => {
    const loaded = loadConfig(text, { baseDir: '/' });
    return loaded.ok ? loaded.settings.registry.allowedAddresses : loaded.problems;
  };
  t.deepEqual(allowed(''), []);
  t.deepEqual(allowed('registry: {allowedAddresses: [10.0.0.0/8]}'), ['10.0.0.0/8']);
});

test('a server that registered itself is shared, with the defaults of one that is written down', (t) => {
  const places = [{ number: 4, url: 'http://10.1.2.3/mcp', id: 'four' }];
  const spec = registeredSpec('x', places);
  t.like(spec, { name: 'x', origin: 'registered', sharing: 'shared', replicas: 1, source: { places } });
  t.is(spec.timeouts.callTimeoutMs, 60_000);
});

test('however many instances a service has in the registry, it is a server: one that failed would take all with it', (t) => {
  const places = Array.from({ length: 101 }, (_, index) => {
    return { number: index + 1, url: `http://10.1.2.3:${8000 + index}/mcp`, id: String(index) };
  });
  t.like(registeredSpec('x', places), { replicas: 101, scaling: { max: 101 }, source: { places } });
});

const URL_OF = (rest: string) => `servers: {x: {url: "http://a.test/", ${rest}}}`;
test(mistake, URL_OF('npm: "x@1.0.0"'), /url: npm is given already/);
for (const key of [
  'args: [x]',
  'env: {A: b}',
  'replicas: 2',
  'resources: {pids: 1}',
  'network: internet',
  'data: /x',
])
  test(mistake, URL_OF(key), /is for servers that run here/);
test(mistake, 'servers: {x: {url: "ftp://a.test/"}}', /x\.url: must begin with http/);
test(mistake, 'servers: {x: {url: "http://me:secret@a.test/"}}', /x\.url: must not hold a user/);
test(mistake, 'servers: {x: {url: ["http://a.test/", "http://a.test/"]}}', /x\.url: names one address twice/);
test(mistake, 'registry: {allowedAddresses: ["*.test"]}', /allowedAddresses\[0\]: must be a network/);
test(mistake, 'registry: {allowed: []}', /registry\.allowed/);

import test from 'ava';
import { linesOf, mistake } from './mistake.ts';

// Values.
test(mistake, 'servers: {x: {npm: a, args: [1]}}', /x\.args\[0\]: must be a string: put it in quotes, "1"/);
test(mistake, 'servers: {x: {npm: a, args: ["a\\0b"]}}', /x\.args\[0\]: must not contain NUL/);
test(mistake, 'servers: {x: {npm: a, env: {A: true}}}', /x\.env\.A: must be a string: put it in quotes/);
test(mistake, 'servers: {x: {npm: a, env: {A: null}}}', /x\.env\.A: must be a string; it is empty/);
for (const key of ['A=B', '1A', '"A B"', '""', '"A\\n"']) {
  test(mistake, `servers: {x: {npm: a, env: {${key}: v}}}`, /x\.env.*is not a name/);
}
test(mistake, 'servers: {x: {npm: a, sharing: sesion}}', /x\.sharing: .*Did you mean "session"/);
test(mistake, 'servers: {x: {npm: a, network: host}}', /x\.network: must be one of none, internet/);
for (const memory of ['256MB', '256M', '1 GiB', '-1', '1.5', '"0"', 'lots', '5MiB', 'true', '1e400', '[]']) {
  test(
    mistake,
    `servers: {x: {npm: a, resources: {memory: ${memory}}}}`,
    /x\.resources\.memory: must be a size/,
  );
}
for (const [key, value] of [
  ['cpus', '0'],
  ['cpus', '"1"'],
  ['cpus', '.inf'],
  ['cpus', '.nan'],
  ['pids', '0'],
  ['pids', '-1'],
  ['pids', '1.5'],
]) {
  test(
    mistake,
    `servers: {x: {npm: a, resources: {${key}: ${value}}}}`,
    new RegExp(`x\\.resources\\.${key}: must be`),
  );
}
for (const [key, value] of [
  ['replicas', '0'],
  ['replicas', '101'],
  ['replicas', '1.5'],
  ['maxSessions', '-1'],
  ['port', '"3001"'],
  ['port', '80'],
  ['port', '3020'],
]) {
  test(mistake, `servers: {x: {npm: a, ${key}: ${value}}}`, new RegExp(`x\\.${key}: must be`));
}
for (const [key, value] of [
  ['readyMs', '0'],
  ['callTimeoutMs', '60s'],
  ['maxCallMs', '2147483648'],
  ['drainMs', '-1'],
  ['sessionIdleMs', '0.5'],
]) {
  test(
    mistake,
    `servers: {x: {npm: a, timeouts: {${key}: ${value}}}}`,
    new RegExp(`x\\.timeouts\\.${key}: must be`),
  );
}
test(
  mistake,
  'servers: {x: {npm: a, timeouts: {drainMs: 30001}}}',
  /x\.timeouts\.drainMs: must be at most 30000, because the stack itself is stopped after 40 s/,
);
test(mistake, 'servers: {x: {npm: a, timeouts: {readyms: 1}}}', /Did you mean "readyMs"/);
for (const data of [
  '/',
  '//',
  '/proc',
  '/proc/self',
  '/sys',
  '/dev/shm',
  '/tmp',
  '/tmp/x',
  '/etc/x',
  '/usr',
  '/run',
  '/var/run/x',
  '/bin/',
]) {
  test(mistake, `servers: {x: {npm: a, data: "${data}"}}`, /x\.data: .*belongs to the system/);
}
for (const data of ['data', './data', '', '/a/../proc', '/a/./b', '/a:ro', '/a,b', '/a\\n']) {
  test(mistake, `servers: {x: {npm: a, data: "${data}"}}`, /x\.data: must/);
}
test(
  mistake,
  'servers: {x: {npm: a, runtime: runsc, network: internet}}',
  /x\.runtime: runsc has no network here/,
);
test(
  mistake,
  'servers: {x: {npm: a, sharing: call, data: /data}}',
  /x\.data: cannot be kept under sharing: call/,
);
test(
  mistake,
  'servers: {x: {npm: a, port: 3001}, y: {npm: a, port: 3001}}',
  /y\.port: 3001 is the port of "x" already/,
);

// Settings.
const hash = 'a'.repeat(64);
test(mistake, 'auth: {tokens: [{principal: a}]}', /auth\.tokens\[0\]\.sha256: is required/);
test(mistake, 'auth: {tokens: [{principal: a, sha256: abc}]}', /64 hex digits/);
test(
  mistake,
  `auth: {tokens: [{principal: a, sha256: ${hash}, scopes: []}]}`,
  /scopes: must be at least 1 long/,
);
test(
  mistake,
  `auth: {tokens: [{principal: a, sha256: ${hash}, scopes: [root]}]}`,
  /must be one of call, admin/,
);
test(mistake, `auth: {tokens: [{principal: anonymous, sha256: ${hash}}]}`, /without a token/);
test(
  mistake,
  `auth: {tokens: [{principal: a, token: x, sha256: ${hash}}]}`,
  /tokens\[0\]\.token: is not a known key/,
);
test(
  mistake,
  `auth: {tokens: [{principal: a, sha256: ${hash}}, {principal: b, sha256: ${hash.toUpperCase()}}]}`,
  /tokens\[1\]\.sha256: is the hash of an earlier token/,
);
for (const origin of [
  'null',
  '*',
  'https://*.x.com',
  'https://x.com/',
  'https://X.com',
  'x.com',
  'https://x.com:443',
]) {
  test(mistake, `http: {allowedOrigins: ["${origin}"]}`, /http\.allowedOrigins\[0\]: must be an origin/);
}
for (const allowed of ['*', 'X.com', 'x.com/', 'https://x.com', 'x:99999', '']) {
  test(mistake, `http: {allowedHosts: ["${allowed}"]}`, /http\.allowedHosts\[0\]: must be a lower-case host/);
}
test(mistake, 'http: {maxBodyBytes: 0}', /http\.maxBodyBytes: must be a size of at least 1KiB/);
test(mistake, 'limits: {maxLineBytes: 1TiB}', /limits\.maxLineBytes: must be a size/);
test(mistake, 'http: {allowedOrigin: []}', /Did you mean "allowedOrigins"/);
test('a port outside the published range, or of two servers, is a problem with its line', (t) => {
  t.deepEqual(linesOf('servers:\n  x:\n    npm: a\n    port: 3020\n'), [
    'gantry.yaml:4:11 servers.x.port: must be one of the published ports 3001 to 3019',
  ]);
  t.deepEqual(linesOf('servers:\n  x: {npm: a, port: 3001}\n  y: {npm: a, port: 3001}\n'), [
    'gantry.yaml:3:21 servers.y.port: 3001 is the port of "x" already',
  ]);
});
test(
  mistake,
  'servers:\n  x: {npm: a, disabled: true}\n',
  /^gantry\.yaml:2:25 servers\.x\.disabled: must be a string/,
);
test(mistake, 'servers:\n  x: {npm: a, disabled: "true"}\n', /servers\.x\.disabled: must say why/);
test(mistake, 'servers:\n  x: {npm: a, disabled: "  "}\n', /servers\.x\.disabled: must say why/);

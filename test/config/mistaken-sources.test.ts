import test from 'ava';
import { mistake } from './mistake.ts';

// The file as a whole.
test(mistake, 'a: [1,', /gantry\.yaml:1:\d+ /);
test(mistake, '- x', /must be a map/);
test(mistake, 'servers: [x]', /gantry\.yaml:1:1 servers: must be a map/);
test(mistake, 'servers: {x: {npm: a}, x: {npm: b}}', /unique/);
test(mistake, 'servers: {x: {npm: a}}\n---\nservers: {}', /multiple documents/);
test(mistake, 'servers: {x: !secret {npm: a}}', /tag/i);
test(mistake, 'servers: *nowhere', /alias/i);
test(mistake, 'servers: &s {x: *s}', /./);
test(mistake, `a: &a [x,x,x,x,x,x,x,x,x]\n${bomb()}`, /alias/i);
test(mistake, `servers: ${'['.repeat(100_000)}`, /gantry\.yaml/);
test(mistake, `servers: ${'{a: '.repeat(60)}1${'}'.repeat(60)}`, /nested over 32 levels/);
test(mistake, 'x'.repeat(2 ** 20 + 1), /over 1 MiB/);
test(mistake, 'server: {}', /server: is not a known key\. Did you mean "servers"\?/);
test(mistake, 'wholly-else: {}', /Known here: .*servers/);
test(mistake, '__proto__: {servers: {}}', /__proto__: is not a name/);
test(mistake, 'servers: {__proto__: {npm: x}}', /servers\.__proto__/);
test(mistake, 'servers: {x: {npm: x, env: {__proto__: "1"}}}', /servers\.x\.env\.__proto__/);

// Names.
for (const name of ['X', '1x', '-x', 'x_y', '"x y"', 'ä', `a${'b'.repeat(63)}`, '""']) {
  test(mistake, `servers: {${name}: {npm: x}}`, /a name is a lower-case letter/);
}
test(mistake, 'servers: {myServer: {npm: x}}', /such as "my-server"/);

// Sources.
test(mistake, 'servers: {x: {args: [a]}}', /servers\.x: needs one of npm, pypi, image, build, url/);
test(mistake, 'servers: {x: {npm: a, build: ./b}}', /x\.build: npm is given already/);
for (const npm of ['x@latest', 'x@^1.0.0', 'x@1', 'x@1.x', 'x@*', 'x@', 'x@>=1.0.0', '@a/b@next']) {
  test(mistake, `servers: {x: {npm: "${npm}"}}`, /x\.npm: .*exact version/);
}
for (const npm of [
  'https://a/b.tgz',
  'git+ssh://git@a/b.git',
  'github:a/b',
  'file:../x',
  './x',
  '/x',
  'a@npm:b@1.0.0',
  '~/x',
]) {
  test(mistake, `servers: {x: {npm: "${npm}"}}`, /x\.npm: must be a package of the npm registry/);
}
for (const npm of ['--global', '-g', 'a b', '', 'a/b', '@a', 'A', 'x;id', 'x$(id)']) {
  test(mistake, `servers: {x: {npm: "${npm}"}}`, /x\.npm: /);
}
for (const pypi of ['x>=1', 'x~=1.0', 'x==1.*', 'x===1', 'x!=1', 'x,y', 'x==', 'x==latest']) {
  test(mistake, `servers: {x: {pypi: "${pypi}"}}`, /x\.pypi: /);
}
for (const pypi of [
  'x @ https://a/b',
  'git+https://a',
  './x',
  '/x',
  'x.whl',
  '-r',
  '--index-url',
  'x[cli]',
  '',
]) {
  test(mistake, `servers: {x: {pypi: "${pypi}"}}`, /x\.pypi: /);
}
for (const image of [
  '--privileged',
  'a b',
  '-v',
  'A/B',
  'a:',
  'a@sha256:12',
  '/a',
  './a',
  '',
  'a:b:c',
  'a//b',
  'https://a/b',
]) {
  test(mistake, `servers: {x: {image: "${image}"}}`, /x\.image: .*is not an image reference/);
}
for (const build of ['/etc', '../x', './a/../../b', '~/x', '', 'https://a/b.git']) {
  test(mistake, `servers: {x: {build: "${build}"}}`, /x\.build: must be a directory/);
}
test(mistake, 'servers: {x: {image: a, bin: b}}', /x\.bin: is for npm and pypi/);
test(mistake, 'servers: {x: {build: ./a, bin: b}}', /x\.bin: is for npm and pypi/);
test(mistake, 'servers: {x: {npm: a, command: [b]}}', /x\.command: is for image and build/);
test(mistake, 'servers: {x: {pypi: a, command: [b]}}', /x\.command: is for image and build/);
test(mistake, 'servers: {x: {npm: a, bin: ../b}}', /x\.bin: must be the name of a program/);
test(mistake, 'servers: {x: {image: a, command: []}}', /x\.command: must be at least 1 long/);
test(mistake, 'servers: {x: {image: a, command: run -x}}', /x\.command: must be a list/);

/** Nine anchors, each nine times the one before: 9^9 strings when expanded. */
function bomb(): string {
  const names = 'abcdefghi'.split('');
  return names
    .slice(1)
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${names[index]}`).join(',')}]`)
    .join('\n');
}

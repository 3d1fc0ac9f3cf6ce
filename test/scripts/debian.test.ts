import test from 'ava';
import { mirrorsOf, parseOsRelease, sourceLines } from '../../scripts/setup/debian.mjs';

const TARGETS = `https://mirror.example/apt/ nodistro main
http://mirror.example/debian/ bookworm main
http://mirror.example/debian/ bookworm contrib
http://mirror.example/debian/ bookworm-updates main
http://mirror.example/debian-security/ bookworm-security main
`;

test('the mirrors are those the host uses for its own release', (t) => {
  t.deepEqual(mirrorsOf(TARGETS, 'bookworm'), {
    main: 'http://mirror.example/debian',
    security: 'http://mirror.example/debian-security',
  });
});

test('a host without a source for its own release has no mirror', (t) => {
  t.is(mirrorsOf(TARGETS, 'noble'), null);
  t.is(mirrorsOf('', 'bookworm'), null);
});

test('sources name the wanted release on the same mirrors', (t) => {
  t.deepEqual(sourceLines({ main: 'http://m/debian', security: 'http://m/sec' }, 'trixie'), [
    'deb http://m/debian trixie main',
    'deb http://m/debian trixie-updates main',
    'deb http://m/sec trixie-security main',
  ]);
});

test('a mirror without security updates is used without them', (t) => {
  t.deepEqual(sourceLines({ main: 'http://m/debian', security: null }, 'trixie').length, 2);
});

test('the release of the host is read with and without quotes', (t) => {
  t.deepEqual(parseOsRelease('ID=ubuntu\nID_LIKE="debian"\nVERSION_CODENAME=noble\nVERSION_ID="24.04"\n'), {
    id: 'ubuntu',
    like: 'debian',
    codename: 'noble',
  });
});

import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test from 'ava';
import { differing } from '../../scripts/setup/authorities.mjs';
import { isNewEnough } from '../../scripts/setup/engine.mjs';
import { defaultDevice, lowerCpus, parseEnv, readSettings } from '../../scripts/setup/settings.mjs';
import { stateDirectory } from '../../scripts/setup/stack.mjs';

test('settings are read line by line, comments aside', (t) => {
  t.deepEqual(parseEnv('# a comment\nGANTRY_PORT=7400\n\nGANTRY_X=a=b\n'), {
    GANTRY_PORT: '7400',
    GANTRY_X: 'a=b',
  });
});

test('a variable of the shell wins over the file, an empty one does not', async (t) => {
  const root = process.cwd();
  const settings: Record<string, string> = await readSettings(root, {
    GANTRY_PORT: '7401',
    GANTRY_SERVER_PORTS: '',
  });
  t.is(settings.GANTRY_PORT, '7401');
  t.is(settings.GANTRY_SERVER_PORTS, parseEnv(readFileSync('compose/stack.env', 'utf8')).GANTRY_SERVER_PORTS);
});

test('no container asks for more processors than the engine has', (t) => {
  const settings = { GANTRY_DIND_CPUS: '4', GANTRY_REDIS_CPUS: '1', GANTRY_DIND_PIDS: '8192' };
  t.deepEqual(lowerCpus(settings, 2), { GANTRY_DIND_CPUS: '2' });
  t.deepEqual(lowerCpus(settings, 8), {});
});

test('the way out of the host is the device of its default route', (t) => {
  const routes = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF
wg0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000`;
  t.is(defaultDevice(routes), 'wg0');
  t.is(defaultDevice(''), null);
});

test('compose is compared by number, with and without a leading v or a revision', (t) => {
  t.true(isNewEnough('2.26.1-4'));
  t.true(isNewEnough('v2.24.4'));
  t.true(isNewEnough('5.0.0'));
  t.false(isNewEnough('2.24.3'));
  t.false(isNewEnough('1.29.2-3'));
  t.false(isNewEnough(null));
});

test('each project keeps its files apart', (t) => {
  t.is(stateDirectory(tmpdir(), 'gantry'), `${tmpdir()}/.gantry`);
  t.is(stateDirectory(tmpdir(), 'gantry-test'), `${tmpdir()}/.gantry/gantry-test`);
});

const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;

test('only authorities that are not public count as the host’s own, each once', (t) => {
  const trusted = [pem('AAAA\nBBBB'), pem('CCCC'), pem('CCCC')].join('\n');
  t.is(differing(trusted, pem('AAAABBBB')), pem('CCCC'));
  t.is(differing(trusted, `${pem('AAAABBBB')}\n${pem('CCCC')}`), '');
});

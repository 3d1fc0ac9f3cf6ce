import test from 'ava';
import { pinAddress } from '../../orchestrator/channel/index.ts';
import { AddressRules, addressRuleProblem } from '../../orchestrator/resilience/index.ts';

/** Everything that an operator could list. */
const OPEN = ['0.0.0.0/0', '::/0'];

function pin(url: string, rules: readonly string[], names: Readonly<Record<string, readonly string[]>> = {}) {
  const resolve = async (host: string) =>
    (names[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return pinAddress(new URL(url), new AddressRules(rules), resolve);
}

test('nothing may be reached that no rule names', async (t) => {
  const error = await t.throwsAsync(pin('http://10.1.2.3:8080/mcp', []));
  t.like(error, { code: 'address_not_allowed' });
  t.regex(error?.message ?? '', /10\.1\.2\.3 is not listed in registry\.allowedAddresses/);
});

for (const rule of [
  '10.0.0.0/8',
  '10.1.2.3',
  '10.1.2.3:8080',
  '10.0.0.0/8:8080',
  'mcp.test',
  'mcp.test:8080',
]) {
  test(`${rule} lets an address in, and no other`, async (t) => {
    const names = { 'mcp.test': ['10.1.2.3'], 'other.test': ['11.1.2.3'] };
    t.deepEqual(await pin('http://mcp.test:8080/mcp', [rule], names), { address: '10.1.2.3', family: 4 });
    await t.throwsAsync(pin('http://other.test:8080/mcp', [rule], names));
  });
}

test('a rule with a port is for that port alone', async (t) => {
  await t.throwsAsync(pin('http://10.1.2.3:8081/', ['10.1.2.3:8080']), { message: /port 8081/ });
  await t.notThrowsAsync(pin('http://[fd00::1]:8080/', ['[fd00::1]:8080']));
  await t.throwsAsync(pin('http://[fd00::1]:8081/', ['[fd00::1]:8080']));
});

const METADATA = [
  'http://169.254.169.254/',
  'http://2852039166/', // decimal
  'http://0251.0376.0251.0376/', // octal
  'http://0xa9fea9fe/', // hexadecimal
  'http://169.254.43518/', // three parts
  'http://[::ffff:169.254.169.254]/', // IPv4 in IPv6
  'http://[::ffff:a9fe:a9fe]/',
  'http://[::169.254.169.254]/',
  'http://[64:ff9b::a9fe:a9fe]/', // through NAT64
  'http://[2002:a9fe:a9fe::]/', // through 6to4
  'http://[fe80::1]/',
  'http://[fd00:ec2::254]/',
  'http://100.100.100.200/',
  'http://168.63.129.16/',
  'http://192.0.0.192/',
  'http://0.0.0.0/',
  'http://[::]/',
  'http://255.255.255.255/',
  'http://224.0.0.1/',
];
for (const url of METADATA) {
  test(`${url} is never reached, whatever is allowed`, async (t) => {
    await t.throwsAsync(pin(url, OPEN), { message: /never reached/ });
  });
}

test('a name with one address that must not be reached is refused as a whole', async (t) => {
  const names = { 'mcp.test': ['10.1.2.3', '169.254.169.254'] };
  const error = await t.throwsAsync(pin('http://mcp.test/', ['mcp.test', ...OPEN], names));
  t.regex(error?.message ?? '', /169\.254\.169\.254, an address of mcp\.test, is a link-local/);
});

test('a name that is allowed may still not mean a forbidden address', async (t) => {
  await t.throwsAsync(pin('http://mcp.test/', ['mcp.test'], { 'mcp.test': ['169.254.169.254'] }));
});

test('a name that means something else a moment later is not asked again: the address is what is connected to', async (t) => {
  let asked = 0;
  const resolve = async () => [{ address: ++asked === 1 ? '10.1.2.3' : '169.254.169.254', family: 4 }];
  const pinned = await pinAddress(new URL('http://mcp.test/'), new AddressRules(['mcp.test']), resolve);
  t.deepEqual([pinned.address, asked], ['10.1.2.3', 1]);
});

test('a name without an address, or that cannot be resolved, is refused', async (t) => {
  await t.throwsAsync(pin('http://nobody.test/', OPEN), { message: /has no address/ });
  const failing = () => Promise.reject(new Error('getaddrinfo ENOTFOUND nobody.test'));
  const error = await t.throwsAsync(
    pinAddress(new URL('http://nobody.test/'), new AddressRules(OPEN), failing),
  );
  t.regex(error?.message ?? '', /could not be resolved/);
});

test('a rule that could be read in two ways is none', (t) => {
  const wrong = [
    '2852039166',
    '0251.0376.1.1',
    '10.1',
    '*',
    '*.example.com',
    'Example.com',
    'http://x',
    '10.0.0.0/33',
    'x:0',
    'x:70000',
    '',
  ];
  t.deepEqual(
    wrong.filter((text) => addressRuleProblem(text) === null),
    [],
  );
});

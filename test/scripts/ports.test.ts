import { createServer } from 'node:net';
import test from 'ava';
import { choosePorts, isPortFree, portsOf, portsOverride } from '../../scripts/setup/ports.mjs';

test('ranges and single ports become a list', (t) => {
  t.deepEqual(portsOf('3001-3003'), [3001, 3002, 3003]);
  t.deepEqual(portsOf('3001-3002,3005'), [3001, 3002, 3005]);
});

test('a port somebody listens on is not free, and is free again afterwards', async (t) => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  t.false(await isPortFree(port));
  await new Promise((resolve) => server.close(resolve));
  t.true(await isPortFree(port));
});

test('taken ports are left out', async (t) => {
  const isFree = async (port: number) => port !== 3002;
  t.deepEqual(await choosePorts([3001, 3002, 3003], [], isFree), [3001, 3003]);
});

test('a running stack keeps exactly the ports it has', async (t) => {
  const isFree = async () => {
    throw new Error('nobody has to ask');
  };
  t.deepEqual(await choosePorts([3001, 3002, 3003], [7400, 3001, 3003], isFree), [3001, 3003]);
});

test('the override replaces the whole list and stays on loopback', (t) => {
  const lines = portsOverride(7401, [3001, 3003]).split('\n');
  t.true(lines.includes('    ports: !override'));
  t.deepEqual(
    lines.filter((line) => line.includes('- ')).map((line) => line.trim()),
    ['- "127.0.0.1:7401:7400"', '- "127.0.0.1:3001:3001"', '- "127.0.0.1:3003:3003"'],
  );
});

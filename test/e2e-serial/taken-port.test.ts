import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { listen } from '../../orchestrator/http/index.ts';
import { choosePorts, isPortFree, portsOverride } from '../../scripts/setup/ports.mjs';
import { initializeRequest } from '../e2e/mcp-session.ts';
import { fixtureEntry } from '../e2e/own-server.ts';
import { rawRequest } from '../e2e/raw-http.ts';
import { startSecondOrchestrator } from '../e2e/second-orchestrator.ts';
import { until } from '../e2e/until.ts';

const HOST = '127.0.0.1';

/** Another program of this host, below two ports that are free. */
async function otherProgram() {
  return until('three free ports in a row', async () => {
    const other = await listen((_request, response) => response.end('another program'), {
      host: HOST,
      port: 0,
    });
    const next = [other.port + 1, other.port + 2];
    if ((await Promise.all(next.map((port) => isPortFree(port)))).every((free) => free)) return other;
    await other.close(0);
    return undefined;
  });
}

async function serverAt(url: string): Promise<{ status: number; text: string }> {
  return rawRequest(new URL(url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify(initializeRequest()),
  });
}

test('a port that another program of the host has taken stops nothing else', async (t) => {
  t.timeout(240_000);
  const other = await otherProgram();
  t.teardown(() => other.close(0));
  const [taken, free, mainPort] = [other.port, other.port + 1, other.port + 2];
  // As npm start does it.
  const published = await choosePorts([taken, free], []);
  t.deepEqual(published, [free]);
  const directory = await mkdtemp(join(tmpdir(), 'gantry-ports-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const portsFile = join(directory, 'ports.yml');
  await writeFile(portsFile, portsOverride(mainPort, published));

  const entry = await fixtureEntry('plain.py');
  const mesh = await startSecondOrchestrator({
    servers: { one: { ...entry, port: taken }, two: { ...entry, port: free } },
    ports: [taken, free],
    portsFile,
  });
  t.teardown(() => mesh.end());
  t.is((await serverAt(`http://${HOST}:${free}/mcp`)).status, 200, 'the other port is open');
  t.is((await serverAt(`http://${HOST}:${mainPort}/mcp/one`)).status, 200, 'its server is where all are');
  const { text } = await rawRequest(new URL(`http://${HOST}:${taken}/`));
  t.is(text, 'another program');
});

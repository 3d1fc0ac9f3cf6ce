import { readFile } from 'node:fs/promises';
import test from 'ava';
import { callTool, compose, dockerOnHost, server } from './harness.ts';
import { makeServer, untilFailed, untilReady } from './own-server.ts';
import { type PackageIndex, servePackages, sourceDistribution } from './package-index.ts';

const NAME = 'gantry-test-server';
const MEBIBYTE = 1024 * 1024;

/** Code that runs when the package is built: it tries what an install must not reach, and packs what came of it. */
const BACKEND = `
import base64, hashlib, json, os, socket, sys, zipfile

TARGETS = json.loads(open(os.path.join(os.path.dirname(__file__), "targets.json")).read())

def attempt(target):
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 2).close()
        return "connected"
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return str(error)

def limit(*paths):
    for path in paths:
        if os.path.exists(path):
            return open(path).read().strip()
    return ""

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    report = {
        "reached": {target: attempt(target) for target in TARGETS},
        "memory": limit("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"),
        "uid": os.getuid(),
    }
    here = os.path.dirname(__file__)
    files = {
        "gantry_test_server.py": open(os.path.join(here, "gantry_test_server.py")).read(),
        "mcp.py": open(os.path.join(here, "mcp.py")).read(),
        "gantry_test_report.json": json.dumps(report),
        "gantry_test_server-1.0.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: gantry-test-server\\nVersion: 1.0.0\\n",
        "gantry_test_server-1.0.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "gantry_test_server-1.0.0.dist-info/entry_points.txt": "[console_scripts]\\ngantry-test-server = gantry_test_server:main\\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}")
    record = "gantry_test_server-1.0.0.dist-info/RECORD"
    files[record] = "\\n".join([*rows, record + ",,"]) + "\\n"
    name = "gantry_test_server-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
`;

const SERVER = `
import os
import mcp

@mcp.tool("report", "What the install step could reach.")
def report(_arguments, _call):
    with open(os.path.join(os.path.dirname(__file__), "gantry_test_report.json")) as file:
        return file.read()

def main():
    mcp.serve()
`;

let index: PackageIndex;
let targets: { readonly reachable: string; readonly forbidden: readonly string[] };

test.before(async () => {
  const addresses = await stackAddresses();
  // Set when the stack comes up: the address of this host that builds can reach.
  const indexUrl = new URL(
    (await compose('exec', '-T', 'orchestrator', 'printenv', 'GANTRY_PYPI_INDEX')).trim(),
  );
  targets = {
    reachable: indexUrl.host,
    forbidden: [
      ...addresses.flatMap((address) => [
        `${address}:2375`,
        `${address}:2376`,
        `${address}:6379`,
        `${address}:7400`,
      ]),
      '169.254.169.254:80',
      '169.254.170.2:80',
    ],
  };
  const bytes = await sourceDistribution(NAME, '1.0.0', {
    'pyproject.toml': '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    'backend.py': BACKEND,
    'targets.json': JSON.stringify([targets.reachable, ...targets.forbidden]),
    'gantry_test_server.py': SERVER,
    'mcp.py': await readFile('test/fixtures/servers/mcp.py', 'utf8'),
  });
  index = await servePackages(Number(indexUrl.port), {
    [NAME]: { file: 'gantry_test_server-1.0.0.tar.gz', bytes },
  });
});

test.after.always(() => index?.close());

test.serial('a server from a Python package index is installed and answers', async (t) => {
  t.timeout(240_000);
  const name = await makeServer(t, 'pypi', { pypi: `${NAME}==1.0.0` });
  const ready = await untilReady(name, 200_000);
  t.is(ready.source.pypi, `${NAME}==1.0.0`);
  t.is(await callTool(name, 'echo', { text: 'from the index' }), 'from the index');
  t.true(index.requests.some((path) => path.startsWith('/files/gantry_test_server-1.0.0')));
});

test.serial(
  'an install step reaches neither orchestrator, Redis, the engine nor metadata addresses, and has limits',
  async (t) => {
    t.timeout(240_000);
    const name = await makeServer(t, 'pypi-probe', { pypi: `${NAME}==1.0.0` });
    await untilReady(name, 200_000);
    const report = JSON.parse(await callTool(name, 'report')) as {
      reached: Record<string, string>;
      memory: string;
    };
    // The probe works: it reached the one address that it may.
    t.is(report.reached[targets.reachable], 'connected');
    t.true(targets.forbidden.length >= 14);
    for (const target of targets.forbidden)
      t.regex(report.reached[target] ?? '', /timeout|unreachable|prohibited|No route/i, target);
    t.true(Number(report.memory) > 0 && Number(report.memory) <= 8192 * MEBIBYTE, report.memory);
  },
);

test.serial('a second server of the same package and version needs no second install', async (t) => {
  t.timeout(240_000);
  const first = await makeServer(t, 'pypi-one', { pypi: `${NAME}==1.0.0` });
  await untilReady(first, 200_000);
  const before = index.requests.length;
  const second = await makeServer(t, 'pypi-two', { pypi: `${NAME}==1.0.0` });
  await untilReady(second);
  t.is(index.requests.length, before);
  t.is((await server(second)).state, 'ready');
});

test.serial('a package that the index does not have fails with a reason that names it', async (t) => {
  const name = await makeServer(t, 'pypi-missing', { pypi: 'gantry-test-missing==9.9.9' });
  const { reason } = await untilFailed(name, 110_000);
  t.is(reason?.code, 'install_failed');
  t.regex(`${reason?.message} ${reason?.stderr.join('\n')}`, /gantry-test-missing/);
});

/** The addresses of the containers of the stack, on every network they are on. */
async function stackAddresses(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const service of ['dind', 'redis', 'orchestrator']) {
    const id = (await compose('ps', '-q', service)).trim();
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
    found.push(...(await dockerOnHost('inspect', '--format', format, id)).split(/\s+/));
  }
  return found.filter((address) => address !== '');
}

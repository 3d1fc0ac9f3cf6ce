import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { INITIALIZE } from './pipe-client.ts';

const run = promisify(execFile);

/** The engine's own command line, inside the stack: what a deploy is compared with. */
export class BenchEngine {
  readonly #container: string;
  /** The image that servers from npm are built on; it holds Node. */
  readonly bridgeImage: string;

  /** Where the orchestrator listens on its own network: reached from this host without docker's userland proxy. */
  readonly orchestratorUrl: string | null;

  private constructor(container: string, bridgeImage: string, orchestratorUrl: string | null) {
    this.#container = container;
    this.bridgeImage = bridgeImage;
    this.orchestratorUrl = orchestratorUrl;
  }

  /** @returns null where there is no docker command, or no stack of that name */
  static async find(project: string): Promise<BenchEngine | null> {
    try {
      const container = await containerOf(project, 'dind');
      const images = ['images', 'gantry/bridge-image', '--format', '{{.Repository}}:{{.Tag}}'];
      const image = firstLine((await run('docker', ['exec', container, 'docker', ...images])).stdout);
      if (container === '' || image === '') return null;
      const orchestrator = await containerOf(project, 'orchestrator');
      const format = '{{range .NetworkSettings.Networks}}{{println .IPAddress}}{{end}}';
      const inspected = await run('docker', ['inspect', '--format', format, orchestrator]);
      const address = firstLine(inspected.stdout);
      return new BenchEngine(container, image, address === '' ? null : `http://${address}:7400`);
    } catch {
      return null; // no docker command, or it may not be used
    }
  }

  /** Milliseconds that `docker exec` takes for nothing: part of every other figure here. */
  async execOverhead(): Promise<number> {
    const startedAt = performance.now();
    await run('docker', ['exec', this.#container, 'true']);
    return performance.now() - startedAt;
  }

  /** KILL from outside. */
  async kill(containerId: string): Promise<void> {
    await run('docker', ['exec', this.#container, 'docker', 'kill', containerId]);
  }

  /** Milliseconds from `docker run` to the answer to initialize, `docker exec` included. */
  async runToFirstAnswer(program: string): Promise<number> {
    const startedAt = performance.now();
    const inside = ['docker', 'run', '-i', '--rm', '--init', '--network', 'none', this.bridgeImage];
    const args = ['exec', '-i', this.#container, ...inside, 'node', '-e', program];
    const child = spawn('docker', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.write(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: INITIALIZE })}\n`,
    );
    await once(child.stdout, 'data');
    const tookMs = performance.now() - startedAt;
    child.stdin.end();
    await once(child, 'exit');
    return tookMs;
  }
}

async function containerOf(project: string, service: string): Promise<string> {
  const labels = [`project=${project}`, `service=${service}`];
  const filters = labels.flatMap((label) => ['--filter', `label=com.docker.compose.${label}`]);
  return firstLine((await run('docker', ['ps', '-q', ...filters])).stdout);
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.trim() ?? '';
}

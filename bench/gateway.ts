import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 5;

export type ServerState = {
  readonly state: string;
  readonly source: Record<string, string>;
  readonly reason: unknown;
  readonly replicas: { readonly ready: number };
};

export type ContainerState = {
  readonly id: string;
  readonly server: string;
  readonly state: string;
  readonly spare: boolean;
  readonly channel: string;
};

/** The mesh that is measured, over its HTTP API. */
export class Gateway {
  readonly url: string;
  /** Whether somebody named this mesh: then it is theirs to start. */
  readonly isNamed: boolean;
  readonly #token: () => string | null;

  constructor(variables: NodeJS.ProcessEnv, root: string) {
    this.isNamed = variables.GANTRY_BENCH_URL !== undefined;
    this.url = (variables.GANTRY_BENCH_URL ?? 'http://127.0.0.1:7400').replace(/\/$/, '');
    this.#token = () => variables.GANTRY_BENCH_TOKEN ?? tokenIn(join(root, '.gantry', 'admin-token'));
  }

  /** The admin token; the first start of a mesh writes it. */
  get token(): string | null {
    return this.#token();
  }

  /** The token that calls need: none where none is configured, as on most meshes of one person. */
  async callToken(): Promise<string | null> {
    return (await fetch(`${this.url}/api/v1/servers`)).ok ? null : this.token;
  }

  async isUp(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`)).ok;
    } catch {
      return false; // nobody listens there
    }
  }

  /** @returns null when there is no such server */
  async server(name: string): Promise<ServerState | null> {
    const response = await this.#ask('GET', `/api/v1/servers/${name}`);
    if (response.status === 404) return null;
    return (await response.json()) as ServerState;
  }

  /** Deploys a server and waits until it is ready. @returns how long that took. @throws Error with its reason */
  async deploy(name: string, entry: object): Promise<number> {
    const startedAt = performance.now();
    const response = await this.#ask('POST', '/api/v1/servers', { name, ...entry });
    if (!response.ok) throw new Error(`POST ${name}: ${response.status} ${await response.text()}`);
    for (;;) {
      const server = await this.server(name);
      if (server?.state === 'ready') return performance.now() - startedAt;
      if (server?.state === 'failed') throw new Error(`${name} failed: ${JSON.stringify(server.reason)}`);
      await sleep(POLL_MS);
    }
  }

  /** @returns the status of the answer */
  async callTool(name: string, tool: string, args: object): Promise<number> {
    const response = await this.#ask('POST', `/api/v1/servers/${name}/tools/${tool}`, args);
    await response.arrayBuffer();
    return response.status;
  }

  /** Replicas anew, as on request: earlier failures are forgotten. Answers before they are. */
  async restart(name: string): Promise<void> {
    await this.#ask('POST', `/api/v1/servers/${name}/restart`);
  }

  /** Ids of a server's containers that take calls. */
  async readyContainers(name: string): Promise<readonly string[]> {
    const { containers } = (await (await this.#ask('GET', '/api/v1/containers')).json()) as {
      containers: { id: string; server: string; state: string; breaker: string }[];
    };
    return containers
      .filter(({ server, state, breaker }) => server === name && state === 'ready' && breaker === 'closed')
      .map(({ id }) => id);
  }

  /** @throws Error with the refusal */
  async patch(name: string, change: object): Promise<void> {
    const response = await this.#ask('PATCH', `/api/v1/servers/${name}`, change);
    if (!response.ok) throw new Error(`PATCH ${name}: ${response.status} ${await response.text()}`);
  }

  async containers(): Promise<readonly ContainerState[]> {
    const { containers } = (await (await this.#ask('GET', '/api/v1/containers')).json()) as {
      containers: ContainerState[];
    };
    return containers;
  }

  /** What a container's processes hold, in bytes, as the engine counts it. */
  async containerBytes(id: string): Promise<number> {
    const answer = await this.#ask('GET', `/api/v1/containers/${id}/stats`);
    return ((await answer.json()) as { memoryBytes: number }).memoryBytes;
  }

  async remove(name: string): Promise<void> {
    await this.#ask('DELETE', `/api/v1/servers/${name}`);
  }

  /** The value of a metric, with its labels as they are written where it has some, in its own unit. */
  async metric(name: string): Promise<number> {
    const text = await (await this.#ask('GET', '/metrics')).text();
    const found = text
      .split('\n')
      .find((row) => row.startsWith(`${name} `))
      ?.slice(name.length + 1);
    if (found === undefined) throw new Error(`There is no metric ${name}.`);
    return Number(found);
  }

  #ask(method: string, path: string, body?: object): Promise<Response> {
    const headers: Record<string, string> = {};
    if (this.token !== null) headers.authorization = `Bearer ${this.token}`;
    if (body === undefined) return fetch(this.url + path, { method, headers });
    headers['content-type'] = 'application/json';
    return fetch(this.url + path, { method, headers, body: JSON.stringify(body) });
  }
}

function tokenIn(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null; // then only what needs no token is measured
  }
}

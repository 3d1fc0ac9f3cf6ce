import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Attachment } from '../engine.ts';
import { EngineError } from '../engine.ts';
import { SocketAttachment } from './attachment.ts';
import type { DockerAddress, DockerConnection } from './connection.ts';
import { engineFailure, engineUnavailable } from './errors.ts';

/** For the upgrade only. An attached connection may be idle for days. */
const UPGRADE_MS = 15_000;
/** Idle connections die silently behind address translation; probes find out. */
const KEEPALIVE_MS = 15_000;

/**
 * Attaches to a container's stdio with an upgrade request of our own: dockerode writes its options as the
 * request's body, which can arrive as the first bytes of the container's stdin. Here the body is empty and
 * nothing is written before the 101 is in.
 */
export async function attach(
  connection: DockerConnection,
  containerId: string,
  upgradeMs: number = UPGRADE_MS,
): Promise<Attachment> {
  const version = await connection.apiVersion();
  const query = 'stream=1&stdin=1&stdout=1&stderr=1';
  const path = `/v${version}/containers/${encodeURIComponent(containerId)}/attach?${query}`;
  const { response, socket, head } = await upgrade(connection.address, path, upgradeMs);
  // From API 1.42 on the daemon names the format; raw means a terminal, which has no frames.
  if (response.headers['content-type'] === 'application/vnd.docker.raw-stream' && isTyped(version)) {
    socket.destroy();
    throw new EngineError('bad_spec', 'The container has a terminal; its output cannot be told apart.');
  }
  return new SocketAttachment(socket, head);
}

function isTyped(version: string): boolean {
  return Number(version.split('.')[1]) >= 42;
}

type Upgraded = { readonly response: IncomingMessage; readonly socket: Socket; readonly head: Buffer };

function upgrade(address: DockerAddress, path: string, upgradeMs: number): Promise<Upgraded> {
  const { promise, resolve, reject } = Promise.withResolvers<Upgraded>();
  const request = open(address, path);
  const timer = setTimeout(() => request.destroy(new Error(`no upgrade within ${upgradeMs} ms`)), upgradeMs);
  request.on('upgrade', (response, stream, head) => {
    clearTimeout(timer);
    const socket = stream as Socket;
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    resolve({ response, socket, head });
  });
  request.on('response', (response) => {
    clearTimeout(timer);
    response.destroy();
    const refusal = Object.assign(new Error('attach refused'), { statusCode: response.statusCode ?? 0 });
    reject(response.statusCode === 200 ? engineUnavailable(refusal) : engineFailure(refusal, 'container'));
  });
  request.on('error', (error) => {
    clearTimeout(timer);
    reject(engineUnavailable(error));
  });
  request.end();
  return promise;
}

function open(address: DockerAddress, path: string): ClientRequest {
  const options = {
    method: 'POST',
    path,
    agent: false as const,
    headers: { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Length': '0' },
  };
  if ('socketPath' in address) return httpRequest({ ...options, socketPath: address.socketPath });
  const { host, port, ca, cert, key } = address;
  return httpsRequest({ ...options, host, port, ca, cert, key });
}

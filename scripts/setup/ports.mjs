import { createServer } from 'node:net';

/** @param {string} text `3001-3019`, or several such ranges and single ports joined by commas @returns {number[]} */
export function portsOf(text) {
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Whether this process could listen there, so a container can be published there. */
export function isPortFree(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Which server ports to publish: those the running stack has, or else those that are free. A stack that runs keeps
 * what it has even if more became free, because a change would mean a new container.
 * @param {number[]} wanted
 * @param {number[]} held ports the running stack is published on; empty if it does not run
 * @returns {Promise<number[]>}
 */
export async function choosePorts(wanted, held, isFree = isPortFree) {
  const kept = wanted.filter((port) => held.includes(port));
  if (kept.length > 0) return kept;
  const free = await Promise.all(wanted.map((port) => isFree(port)));
  return wanted.filter((_, i) => free[i]);
}

/** A compose file that publishes exactly these, in place of the whole range. */
export function portsOverride(mainPort, ports) {
  const all = [`${mainPort}:7400`, ...ports.map((port) => `${port}:${port}`)];
  const lines = all.map((mapping) => `      - "127.0.0.1:${mapping}"`);
  return `services:\n  orchestrator:\n    ports: !override\n${lines.join('\n')}\n`;
}

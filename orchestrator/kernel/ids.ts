import { randomBytes, randomUUID } from 'node:crypto';

/** 128 random bits in visible ASCII: session ids must not be guessable (MCP 2025-11-25, basic/transports). */
export function newSessionId(): string {
  return randomBytes(16).toString('base64url');
}

/** A short random suffix for names that must not collide, such as a container's. */
export function shortId(): string {
  return randomBytes(4).toString('hex');
}

/** Of a task: nobody can guess another's. */
export function newTaskId(): string {
  return randomUUID();
}

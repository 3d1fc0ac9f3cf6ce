import type { Gateway } from './gateway.ts';
import { HttpClient } from './http-client.ts';
import { rounded } from './quantiles.ts';

const MIB = 1024 * 1024;

export type MemoryCost = {
  readonly idleMib: number;
  readonly sessions: number;
  readonly withSessionsMib: number;
  readonly perSessionKib: number;
};

/** Resident memory of the orchestrator, now and with sessions open that have each made a call. */
export async function measureMemoryCost(
  gateway: Gateway,
  server: string,
  sessions: number,
): Promise<MemoryCost> {
  const residentMib = async (): Promise<number> =>
    rounded((await gateway.metric('gantry_process_resident_memory_bytes')) / MIB);
  const idleMib = await residentMib();
  const { url } = gateway;
  const token = await gateway.callToken();
  const clients: HttpClient[] = [];
  try {
    while (clients.length < sessions) {
      const client = await HttpClient.open({ url, server, connections: 1, token });
      clients.push(client);
      await client.echo('a session that was used');
    }
    const withSessionsMib = await residentMib();
    const perSessionKib = rounded(((withSessionsMib - idleMib) * 1024) / sessions);
    return { idleMib, sessions, withSessionsMib, perSessionKib };
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

import type { ExecutionContext } from 'ava';
import { baseUrl, type Json } from './harness.ts';
import type { Target } from './sdk-target.ts';
import { WireTap } from './wire-tap.ts';

/** What a server may ask its client for. */
export type Question = 'elicitation' | 'sampling' | 'roots';

type CallOptions = { readonly onProgress?: (progress: number) => void; readonly signal?: AbortSignal };

/** A connected client: the part of the official clients that all versions have, each in its own way. */
export type SdkClient = {
  /** The revision that was agreed on. */
  readonly version: string;
  readonly serverName: string | undefined;
  /** The questions it was asked, in order. */
  readonly asked: readonly Question[];
  readonly toolNames: () => Promise<readonly string[]>;
  readonly call: (tool: string, args: Json, options?: CallOptions) => Promise<unknown>;
  /** Hears of changes of a resource from now on. */
  readonly watch: (uri: string, onUpdate: (uri: string) => void) => Promise<void>;
  /** Requests that this client can send and its revision does not have. */
  readonly missing: Readonly<Record<string, () => Promise<unknown>>>;
  readonly close: () => Promise<void>;
};

/** A version of the official client, in one of its modes. */
export type Sdk = {
  readonly title: string;
  readonly era: 'legacy' | 'modern';
  /** Which of Gantry's addresses it is given: `sse` is the transport of 2024-11-05. */
  readonly at: 'mcp' | 'sse';
  readonly connect: (url: URL, fetch: WireTap['fetch'], can: readonly Question[]) => Promise<SdkClient>;
};

export const VERSION_OF = { legacy: '2025-11-25', modern: '2026-07-28' } as const;

export type Row = {
  readonly t: ExecutionContext;
  readonly sdk: Sdk;
  readonly target: Target;
  readonly name: string;
};

type Joined = { readonly client: SdkClient; readonly wire: WireTap };

export async function join({ t, sdk, name }: Row, can: readonly Question[] = []): Promise<Joined> {
  const wire = new WireTap();
  const client = await sdk.connect(new URL(`${baseUrl}/${sdk.at}/${name}`), wire.fetch, can);
  t.teardown(() => client.close());
  return { client, wire };
}

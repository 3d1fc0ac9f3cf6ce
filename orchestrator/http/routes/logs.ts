import { z } from 'zod';
import type { LogLine } from '../../kernel/index.ts';
import { defineRoute, type Route } from '../openapi/define-route.ts';
import { LogEvent } from '../openapi/schemas.ts';
import type { HttpOptions } from '../options.ts';
import { CONTAINER_ID } from './containers.ts';

export function logRoutes({ containers, closing }: HttpOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/containers/{id}/logs',
      operationId: 'getContainerLogs',
      summary: 'What the process wrote to stderr; with follow=1 also what it will write',
      tag: 'containers',
      scope: 'call',
      params: CONTAINER_ID,
      query: z.object({ follow: z.enum(['0', '1']).optional() }),
      answers: {
        200: {
          description:
            'The lines kept, oldest first; followed, one event per line with {"at","line"} as its data',
          content: { 'text/plain': null, 'text/event-stream': LogEvent },
        },
      },
      errors: ['container_not_found', 'engine_unavailable'],
      handle: async ({ params, query, gone }) => {
        const logs = await containers.logs(params.id ?? '');
        if (query.follow === '1') {
          const until = closing === undefined ? gone() : AbortSignal.any([gone(), closing]);
          return { kind: 'events', events: keptThenNext(logs.lines, logs.follow(until)), until };
        }
        const text = logs.lines.map(({ line }) => `${line}\n`).join('');
        return { kind: 'text', status: 200, type: 'text/plain', text };
      },
    }),
  ];
}

async function* keptThenNext(kept: readonly LogLine[], next: AsyncIterable<LogLine>): AsyncIterable<LogLine> {
  yield* kept;
  yield* next;
}

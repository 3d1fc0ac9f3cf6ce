import type { ContainerVerb } from '../control.ts';
import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import { Container, ContainerList, ContainerStats } from '../openapi/schemas.ts';
import type { HttpOptions } from '../options.ts';

export const CONTAINER_ID = { id: 'Full id of a container, or a prefix of 12 and more' };

const VERBS: Readonly<Record<ContainerVerb, string>> = {
  start: 'Start a container that was stopped',
  stop: 'Stop a container; it stays stopped until it is started, or the orchestrator is',
  restart: 'Stop a container and start the same one again',
  kill: 'Kill a container; being a fault, this is repaired',
  pause: 'Freeze a container until it is resumed, or the orchestrator starts again',
  resume: 'Let a paused container go on',
};

export function containerRoutes({ containers }: HttpOptions): Route[] {
  const verbs = Object.entries(VERBS) as [ContainerVerb, string][];
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/containers',
      operationId: 'listContainers',
      summary: "All of Gantry's containers",
      tag: 'containers',
      scope: 'call',
      answers: { 200: { description: 'All containers', content: { 'application/json': ContainerList } } },
      errors: ['engine_unavailable'],
      handle: async () => json({ containers: await containers.list() }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/containers/{id}',
      operationId: 'getContainer',
      summary: 'One container',
      tag: 'containers',
      scope: 'call',
      params: CONTAINER_ID,
      answers: { 200: { description: 'The container', content: { 'application/json': Container } } },
      errors: ['container_not_found', 'engine_unavailable'],
      handle: async ({ params }) => json(await containers.get(params.id ?? '')),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/containers/{id}/stats',
      operationId: 'getContainerStats',
      summary: 'What a container uses now',
      tag: 'containers',
      scope: 'call',
      params: CONTAINER_ID,
      answers: { 200: { description: 'One sample', content: { 'application/json': ContainerStats } } },
      errors: ['container_not_found', 'invalid_state', 'engine_unavailable'],
      handle: async ({ params }) => json(await containers.stats(params.id ?? '')),
    }),
    ...verbs.map(([verb, summary]) =>
      defineRoute({
        method: 'POST',
        path: `/api/v1/containers/{id}/${verb}`,
        operationId: `${verb}Container`,
        summary,
        tag: 'containers',
        scope: 'admin',
        params: CONTAINER_ID,
        answers: { 202: { description: 'The container', content: { 'application/json': Container } } },
        errors: ['container_not_found', 'invalid_state', 'engine_unavailable'],
        handle: async ({ params }) => json(await containers.act(params.id ?? '', verb), 202),
      }),
    ),
  ];
}

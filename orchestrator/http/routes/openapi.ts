import { defineRoute, type Route } from '../openapi/define-route.ts';
import { openApiDocument } from '../openapi/document.ts';
import { AnyObject } from '../openapi/schemas.ts';
import type { HttpOptions } from '../options.ts';

/** The document describes this route too, so it is made from the whole table, on first use. */
export function openApiRoutes({ version }: HttpOptions, allRoutes: () => readonly Route[]): Route[] {
  let text: string | null = null;
  return [
    defineRoute({
      method: 'GET',
      path: '/openapi.json',
      operationId: 'getOpenApi',
      summary: 'This document',
      tag: 'health',
      scope: 'call',
      answers: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': AnyObject } } },
      errors: [],
      handle: async () => {
        text ??= JSON.stringify(openApiDocument(allRoutes(), { version }));
        return { kind: 'text', status: 200, type: 'application/json', text };
      },
    }),
  ];
}

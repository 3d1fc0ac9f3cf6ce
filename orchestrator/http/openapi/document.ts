import { z } from 'zod';
import type { ErrorCode } from '../../kernel/index.ts';
import { statusOf } from '../error-map.ts';
import { isMcpPath } from '../request-state.ts';
import type { AnswerRule, BodyRule, Route } from './define-route.ts';
import { components, ErrorBody, JsonRpcErrorBody } from './schemas.ts';

type JsonObject = Record<string, unknown>;

/** Errors that the guards and the error map can answer on any route. */
const EVERYWHERE: readonly ErrorCode[] = ['unauthorized', 'host_forbidden', 'origin_forbidden', 'internal'];
const WITH_BODY: readonly ErrorCode[] = ['parse_error', 'body_too_large', 'unsupported_media_type'];

/** The OpenAPI 3.1 document of exactly these routes. */
export function openApiDocument(
  routes: readonly Route[],
  info: { readonly version: string; readonly schemas?: Readonly<Record<string, unknown>> },
): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    Object.assign(paths[route.path] ?? {}, { [route.method.toLowerCase()]: operation(route) });
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gantry',
      version: info.version,
      description: 'Runs MCP servers, each copy in a container of its own, and offers them over HTTP.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { ...componentSchemas(), ...info.schemas },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(route: Route): JsonObject {
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    security: securityOf(route),
    parameters: [...pathParameters(route), ...queryParameters(route)],
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body) }),
    responses: { ...successes(route), ...failures(route) },
  };
}

/** An empty requirement means that no token is needed, which holds as long as none is configured. */
function securityOf(route: Route): JsonObject[] {
  if (route.scope === 'none') return [];
  return route.scope === 'admin' ? [{ bearer: [] }] : [{}, { bearer: [] }];
}

function pathParameters(route: Route): JsonObject[] {
  return [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: route.params?.[name] ?? name,
    schema: { type: 'string' },
  }));
}

function queryParameters(route: Route): JsonObject[] {
  return Object.entries(route.query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !(schema as z.ZodType).safeParse(undefined).success,
    schema: schemaOf(schema as z.ZodType),
  }));
}

function requestBody(body: BodyRule): JsonObject {
  const schema = body.document ?? schemaOf(body.schema);
  const types = body.types ?? ['application/json'];
  return {
    required: body.absent === undefined,
    content: Object.fromEntries(types.map((type) => [type, { schema }])),
  };
}

function successes(route: Route): JsonObject {
  return Object.fromEntries(Object.entries(route.answers).map(([status, rule]) => [status, answerOf(rule)]));
}

function answerOf(rule: AnswerRule): JsonObject {
  const content = Object.entries(rule.content ?? {}).map(([type, schema]) => [
    type,
    { schema: schema === null ? { type: 'string' } : schemaOf(schema) },
  ]);
  const headers = Object.entries(rule.headers ?? {}).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  return {
    description: rule.description,
    ...(content.length === 0 ? {} : { content: Object.fromEntries(content) }),
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
  };
}

function failures(route: Route): JsonObject {
  const body = schemaOf(isMcpPath(route.path) ? JsonRpcErrorBody : ErrorBody);
  const codes = new Set([...EVERYWHERE, ...route.errors]);
  if (route.scope === 'admin') codes.add('scope_missing');
  if (route.query !== undefined || route.body !== undefined) codes.add(route.invalid ?? 'invalid_request');
  if (route.body !== undefined) for (const code of WITH_BODY) codes.add(code);
  const byStatus = Map.groupBy(codes, statusOf);
  return Object.fromEntries(
    [...byStatus]
      // A status that is also an answer of its own (503 of the mesh) has the error as its other shape.
      .filter(([status]) => route.answers[status] === undefined)
      .map(([status, names]) => [
        status,
        { description: names.join(', '), content: { 'application/json': { schema: body } } },
      ]),
  );
}

/** A reference for a schema with a name, the schema itself for any other. */
function schemaOf(schema: z.ZodType): JsonObject {
  const id = components.get(schema)?.id;
  if (id !== undefined) return { $ref: `#/components/schemas/${id}` };
  return withoutKeys(z.toJSONSchema(schema, { io: 'input' }));
}

function componentSchemas(): JsonObject {
  // `input`, because answers may gain fields and a client must not refuse them.
  const { schemas } = z.toJSONSchema(components, { io: 'input', uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutKeys(schema)]));
}

/** Inside an OpenAPI document the dialect is given and `$id` would move the base of references. */
function withoutKeys(schema: object): JsonObject {
  const { $schema: _dialect, $id: _id, ...rest } = schema as JsonObject;
  return rest;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { startApp } from './http/ask.ts';

type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const page = readFileSync(join(import.meta.dirname, '../docs/migration.md'), 'utf8');

/** Routes in a cell, `GET /a/{}`: what a parameter is called is nobody's business, and a query is no part of a path. */
function routesOf(cell: string, base = ''): readonly string[] {
  const found = cell.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^\s`?]*)[^`]*`/g);
  return [...found].map(([, method, path = '']) => `${method} ${base}${unnamed(path)}`);
}

function unnamed(path: string): string {
  return path.replaceAll(/\{\w+\}/g, '{}');
}

/** What the page says of routes as they are now, as `METHOD /path`: those written in full, and those that are "the same". */
function routesNow(text: string): readonly string[] {
  return text.split(/^## /m).flatMap((section) => {
    const base = /^Before: below `([^`]+)`/m.exec(section)?.[1] ?? '';
    const rows = [...section.matchAll(/^\| (.+?) \| (.+) \|$/gm)];
    return rows.flatMap(([, before = '', now = '']) => [
      ...routesOf(now),
      ...(now.startsWith('the same') ? routesOf(before, base) : []),
    ]);
  });
}

function unknownRoutes(text: string, paths: Paths): readonly string[] {
  const known = new Set(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${unnamed(path)}`),
    ),
  );
  return routesNow(text).filter((route) => !known.has(route));
}

test('every route that the migration page names as it is now exists, with its method', async (t) => {
  const { ask } = await startApp(t);
  const { paths } = (await ask('GET', '/openapi.json')).json as { paths: Paths };
  t.true(routesNow(page).length > 40, 'the test saw the routes');
  t.deepEqual(unknownRoutes(page, paths), []);
});

test('a route that is not there, or has another method, or lies elsewhere is found', (t) => {
  const paths = { '/api/v1/mesh/status': { get: {} }, '/mcp/{server}': { post: {} } };
  const table = (...rows: readonly string[]) =>
    `## Routes\nBefore: below \`/api/v1/mesh\`.\n\n| before | now |\n| --- | --- |\n${rows.join('\n')}\n`;
  const right = [
    '| `GET /status` | the same |',
    '| `POST /x` | `POST /mcp/{n}?a=` |',
    '| `GET /old` | gone |',
  ];
  t.deepEqual(unknownRoutes(table(...right), paths), []);
  const wrong = ['| `GET /old` | the same; kept |', '| `GET /x` | `GET /mcp/{n}`, `GET /status` |'];
  t.deepEqual(unknownRoutes(table(...right, ...wrong), paths), [
    'GET /api/v1/mesh/old',
    'GET /mcp/{}',
    'GET /status',
  ]);
});

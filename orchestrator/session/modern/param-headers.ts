import { GantryError, isObject } from '../../kernel/index.ts';
import { decodeHeaderValue } from './header-value.ts';
import type { HeaderOf } from './request.ts';

/**
 * A tool may ask for arguments to be repeated in headers (`x-mcp-header` in its schema), so that somebody on the
 * way can route by them. Those headers must say what the body says (MCP 2026-07-28, transports).
 * @throws GantryError header_mismatch
 */
export function checkParamHeaders(tool: unknown, args: unknown, headerOf: HeaderOf): void {
  const given = isObject(args) ? args : {};
  for (const [argument, suffix] of annotated(tool)) {
    const header = `Mcp-Param-${suffix}`;
    const value = headerOf(header);
    const wanted = given[argument];
    if (wanted === undefined || wanted === null) {
      if (value !== null) throw mismatch(header, `is there, but the argument ${argument} is not`);
    } else if (value === null) {
      throw mismatch(header, `is missing: the tool asks for the argument ${argument} in it`);
    } else if (decodeHeaderValue(value) !== textOf(wanted)) {
      throw mismatch(header, `does not say the same as the argument ${argument}`);
    }
  }
}

/** Arguments with the name of their header. */
function annotated(tool: unknown): [argument: string, suffix: string][] {
  const schema = isObject(tool) && isObject(tool.inputSchema) ? tool.inputSchema : {};
  const properties = isObject(schema.properties) ? schema.properties : {};
  return Object.entries(properties).flatMap(([argument, property]) => {
    const suffix = isObject(property) ? property['x-mcp-header'] : undefined;
    return typeof suffix === 'string' && suffix !== '' ? [[argument, suffix] as [string, string]] : [];
  });
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function mismatch(header: string, what: string): GantryError {
  return new GantryError('header_mismatch', `The ${header} header ${what}.`, { detail: { header } });
}

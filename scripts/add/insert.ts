import { type Document, isMap, isScalar, parseDocument, stringify, type YAMLMap } from 'yaml';
import type { RawObject } from '../../orchestrator/config/index.ts';

/**
 * The text of a gantry.yaml with servers behind those that are in it. Nothing else of it changes, comments and spacing
 * included; only a list of servers in braces is written anew.
 * @param text without problems of YAML itself
 */
export function withServers(text: string, entries: ReadonlyMap<string, RawObject>): string {
  const document = parseDocument(text, { stringKeys: true });
  const servers = document.get('servers', true);
  if (isMap(servers) && servers.flow !== true && servers.items.length > 0) {
    return inserted(text, servers, entries);
  }
  if (!isMap(document.contents) || (document.contents.flow !== true && !document.has('servers'))) {
    const before = text.trim() === '' ? '' : `${text.trimEnd()}\n\n`;
    return `${before}servers:\n${blocks(entries, 2)}`;
  }
  return writtenAnew(document, entries);
}

/** Which of these names have a server already. */
export function takenNames(text: string, names: readonly string[]): readonly string[] {
  const document = parseDocument(text, { stringKeys: true });
  return names.filter((name) => document.hasIn(['servers', name]) || document.hasIn(['mcpServers', name]));
}

function inserted(text: string, servers: YAMLMap, entries: ReadonlyMap<string, RawObject>): string {
  const [first] = servers.items;
  const start = isScalar(first?.key) ? (first.key.range?.[0] ?? 0) : 0;
  const indent = start - (text.lastIndexOf('\n', start - 1) + 1);
  const content = text.slice(0, servers.range?.[1] ?? text.length).trimEnd().length;
  // What stands behind the last value on its line, such as a comment, belongs to it.
  const lineEnd = text.indexOf('\n', content);
  const end = lineEnd === -1 ? text.length : lineEnd;
  return `${text.slice(0, end)}\n\n${blocks(entries, indent).trimEnd()}${text.slice(end) || '\n'}`;
}

function blocks(entries: ReadonlyMap<string, RawObject>, indent: number): string {
  return [...entries]
    .map(([name, entry]) => stringify({ [name]: entry }, { lineWidth: 0 }))
    .map((block) => block.replace(/^(?=.)/gm, ' '.repeat(indent)))
    .join('\n');
}

function writtenAnew(document: Document, entries: ReadonlyMap<string, RawObject>): string {
  if (!isMap(document.get('servers', true))) document.set('servers', document.createNode({}));
  for (const [name, entry] of entries) document.setIn(['servers', name], document.createNode(entry));
  return document.toString({ lineWidth: 0 });
}

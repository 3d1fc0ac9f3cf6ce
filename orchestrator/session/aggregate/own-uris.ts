import { elementTexts, isObject, type JsonRpcOutcome } from '../../kernel/index.ts';
import { memberOf, withMembers } from '../modern/json-members.ts';
import { sharedUri } from './names.ts';

/** What has become of a JSON text; the same text where there was nothing to do. */
type Edit = (text: string, value: unknown) => string;

/**
 * A result whose resources bear the URIs under which a client of several servers can read them: `contents` of a
 * resource, and links and embedded resources in what tools and prompts answer. All other text stays as the server wrote it.
 */
export function withSharedUris(server: string, method: string, outcome: JsonRpcOutcome): JsonRpcOutcome {
  if (!outcome.ok || !outcome.raw.includes('"uri"')) return outcome;
  const raw = resultEdit(server, method)(outcome.raw, outcome.result);
  return raw === outcome.raw ? outcome : { ok: true, result: JSON.parse(raw), raw };
}

function resultEdit(server: string, method: string): Edit {
  const uri: Edit = (text, value) =>
    typeof value === 'string' ? JSON.stringify(sharedUri({ server, own: value })) : text;
  const embedded = member('uri', uri);
  const content: Edit = (text, value) => {
    if (Array.isArray(value)) return elements(content)(text, value);
    if (!isObject(value)) return text;
    if (value.type === 'resource_link') return embedded(text, value);
    return value.type === 'resource' ? member('resource', embedded)(text, value) : text;
  };
  switch (method) {
    case 'tools/call':
      return member('content', content);
    case 'prompts/get':
      return member('messages', elements(member('content', content)));
    case 'resources/read':
      return member('contents', elements(embedded));
    default:
      return (text) => text;
  }
}

/** Edits one member of an object, where it is there. */
function member(key: string, edit: Edit): Edit {
  return (text, value) => {
    if (!isObject(value) || !(key in value)) return text;
    const before = memberOf(text, key);
    if (before === null) return text;
    const after = edit(before, value[key]);
    return after === before ? text : withMembers(text, { [key]: after });
  };
}

function elements(edit: Edit): Edit {
  return (text, value) => {
    if (!Array.isArray(value)) return text;
    const before = elementTexts(text);
    const after = before.map((element, at) => edit(element, value[at]));
    return after.some((element, at) => element !== before[at]) ? `[${after.join(',')}]` : text;
  };
}

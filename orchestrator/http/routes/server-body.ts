type JsonSchema = Readonly<Record<string, unknown>>;

/** What POST /api/v1/servers takes: one entry with its name, or a document of another format. */
export function createBody(entrySchema: JsonSchema): JsonSchema {
  return { anyOf: [namedEntry(entrySchema), serverJson, mcpJson('servers'), mcpJson('mcpServers')] };
}

const answers = {
  type: 'object',
  description:
    'What the document leaves to the user, by the name of the variable or argument, or the id of the input.',
  additionalProperties: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
};

const serverJson = {
  type: 'object',
  description: 'server.json of the MCP registry, schema 2025-12-11.',
  required: ['name', 'packages'],
  properties: {
    name: { type: 'string', pattern: '^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$' },
    packages: { type: 'array', minItems: 1, items: { type: 'object' } },
    as: { type: 'string', description: 'Another name for the server than that behind the slash.' },
    answers,
  },
};

function mcpJson(key: string): JsonSchema {
  return {
    type: 'object',
    description: 'mcp.json of VS Code (servers) or of desktop clients (mcpServers).',
    required: [key],
    properties: {
      [key]: { type: 'object', additionalProperties: { type: 'object' } },
      inputs: { type: 'array', items: { type: 'object' } },
      answers,
    },
  };
}

/** The entry's schema closes its object, so the name has to go inside; `allOf` around it would refuse the name. */
function namedEntry(entry: JsonSchema): JsonSchema {
  const { $schema: _dialect, $id: _id, ...rest } = entry;
  const required = Array.isArray(entry.required) ? entry.required : [];
  return {
    ...rest,
    type: 'object',
    required: ['name', ...required],
    properties: {
      name: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$' },
      ...(entry.properties ?? {}),
    },
  };
}

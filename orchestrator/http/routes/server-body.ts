type JsonSchema = Readonly<Record<string, unknown>>;

/** What POST /api/v1/servers takes: one entry with its name, or a document of another format. */
export function createBody(entrySchema: JsonSchema): JsonSchema {
  return {
    anyOf: [
      namedEntry(entrySchema),
      serverJson,
      answeredServerJson,
      mcpJson('servers'),
      mcpJson('mcpServers'),
    ],
  };
}

const answers = {
  type: 'object',
  description:
    'What the document leaves to the user, by the name of the variable or argument, or the id of the input.',
  additionalProperties: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
};

const list = { type: 'array', minItems: 1, items: { type: 'object' } };
/** What may stand beside the members of the document. */
const beside = {
  as: { type: 'string', description: 'Another name for the server than that behind the slash.' },
  answers,
};

const bareServerJson = {
  type: 'object',
  description: 'server.json of the MCP registry, schema 2025-12-11.',
  required: ['name'],
  anyOf: [
    { required: ['packages'], properties: { packages: list } },
    { required: ['remotes'], properties: { remotes: list } },
  ],
  properties: {
    name: { type: 'string', pattern: '^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$' },
    packages: { type: 'array', items: { type: 'object' } },
    remotes: { type: 'array', items: { type: 'object' } },
  },
};

const serverJson = { ...bareServerJson, properties: { ...bareServerJson.properties, ...beside } };

const answeredServerJson = {
  type: 'object',
  description: 'The same as the API of the registry answers it.',
  required: ['server'],
  properties: { server: bareServerJson, ...beside },
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

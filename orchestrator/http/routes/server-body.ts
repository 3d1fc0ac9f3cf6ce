type JsonSchema = Readonly<Record<string, unknown>>;

/** What POST /api/v1/servers takes: one entry with its name, or a document in the `mcpServers` shape. */
export function createBody(entrySchema: JsonSchema): JsonSchema {
  const mcpServers = {
    type: 'object',
    required: ['mcpServers'],
    properties: { mcpServers: { type: 'object', additionalProperties: { type: 'object' } } },
  };
  return { anyOf: [namedEntry(entrySchema), mcpServers] };
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

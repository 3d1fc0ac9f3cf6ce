import { z } from 'zod';

/**
 * The shapes of docs/api.md. Each is typed by the view it describes, so that a field which changes in one place
 * alone does not compile. Registered under the name it has in `components/schemas`.
 */
export const components = z.registry<{ id: string; description?: string }>();

export function named<T extends z.ZodType>(id: string, schema: T): T {
  components.add(schema, { id });
  return schema;
}

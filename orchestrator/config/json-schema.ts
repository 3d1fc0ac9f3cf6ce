import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { Entry } from './schema.ts';
import { GantryFile } from './settings.ts';

/** The schema of gantry.yaml as editors read it: what may be written, defaults and all. */
export function fileJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(GantryFile, { io: 'input' });
}

/** The schema of one entry, for the description of the API. */
export function entryJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(Entry, { io: 'input' });
}

/** The exact text of `schema/gantry.schema.json`. */
export function schemaFileText(): string {
  return `${JSON.stringify(fileJsonSchema(), null, 2)}\n`;
}

export const schemaFilePath = fileURLToPath(new URL('../../schema/gantry.schema.json', import.meta.url));

// `node orchestrator/config/json-schema.ts` writes the file anew; a test fails while it is stale.
if (import.meta.main) {
  writeFileSync(schemaFilePath, schemaFileText());
  process.stdout.write(`wrote ${schemaFilePath}\n`);
}

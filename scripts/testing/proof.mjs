import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * Rows of docs/proof.md: `| promise | \`test/….test.ts\` | title |`.
 * @returns {{line: number, promise: string, file: string, title: string}[]}
 */
export function readProof(text) {
  return text.split('\n').flatMap((row, index) => {
    const match = /^\|(.+?)\|\s*`(test\/[^`]+\.test\.ts)`\s*\|(.+)\|\s*$/.exec(row);
    if (!match) return [];
    const [, promise, file, title] = match.map((part) => part.trim().replaceAll('\\|', '|'));
    return [{ line: index + 1, promise, file, title }];
  });
}

/**
 * Every promise must be shown by a test that ran and passed.
 * @param {string[]} passed full titles as ava prints them
 * @returns {string[]} what is wrong; empty when all holds
 */
export function checkProof(root, passed) {
  const path = join(root, 'docs', 'proof.md');
  if (!existsSync(path)) return ['docs/proof.md is missing'];
  const rows = readProof(readFileSync(path, 'utf8'));
  if (rows.length === 0) return ['docs/proof.md names no test'];
  return rows.flatMap(({ line, promise, file, title }) => {
    const where = `docs/proof.md:${line} "${promise}"`;
    if (!existsSync(join(root, file))) return [`${where}: ${file} does not exist`];
    const name = basename(file, '.test.ts');
    const ran = passed.some((full) => full === title || full.endsWith(`${name} › ${title}`));
    return ran ? [] : [`${where}: no test "${title}" of ${file} ran and passed`];
  });
}

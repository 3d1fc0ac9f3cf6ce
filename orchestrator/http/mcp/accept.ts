import { GantryError } from '../../kernel/index.ts';
import { passedBefore } from '../passed-before.ts';

/**
 * Whether an `Accept` header allows a media type. Absent counts as everything. Quality values only matter
 * where they are zero: they refuse.
 */
export function accepts(header: string | undefined, type: string): boolean {
  if (header === undefined || header.trim() === '') return true;
  const [family = ''] = type.split('/');
  return header.split(',').some((entry) => {
    const [range = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    return !refused && (range === '*/*' || range === `${family}/*` || range === type);
  });
}

/** A POST may be answered either way, so its sender must take both (MCP 2025-11-25, basic/transports). */
export const checkPostAccept = (header = ''): void => checkBoth(header);

const checkBoth = passedBefore((header) => {
  if (accepts(header, 'application/json') && accepts(header, 'text/event-stream')) return;
  throw new GantryError('not_acceptable', 'Accept must allow both application/json and text/event-stream.');
});

export function checkStreamAccept(header: string | undefined): void {
  if (accepts(header, 'text/event-stream')) return;
  throw new GantryError('not_acceptable', 'Accept must allow text/event-stream.');
}

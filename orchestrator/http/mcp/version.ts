import { GantryError } from '../../kernel/index.ts';
import { LEGACY_VERSIONS } from '../../session/index.ts';

/** An unknown revision is refused (MCP 2025-06-18 and later, basic/transports); an absent header means 2025-03-26. */
export function checkVersion(version: string | null): void {
  if (version === null || (LEGACY_VERSIONS as readonly string[]).includes(version)) return;
  throw new GantryError('invalid_request', `Unsupported MCP-Protocol-Version ${JSON.stringify(version)}.`, {
    detail: { supported: LEGACY_VERSIONS },
  });
}

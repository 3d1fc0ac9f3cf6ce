import type { Engine } from '../../engine/index.ts';
import { SERVER_LABEL, serverImage } from '../labels.ts';

/**
 * Removes what was built for a server and is used no more. Never rejects: what cannot be removed now, such as an
 * image in use, only takes space until the next time.
 * @param keep the tag that the server runs on now; null where the server is gone.
 */
export async function removeOldImages(
  engine: Engine,
  { owner, server, keep }: { owner: string; server: string; keep: string | null },
): Promise<void> {
  try {
    const old = (await engine.images.list(owner)).filter(
      ({ tag, labels }) =>
        tag !== keep && labels[SERVER_LABEL] === server && tag.startsWith(`${serverImage(server)}:`),
    );
    await Promise.allSettled(old.map(({ tag }) => engine.images.remove(tag)));
  } catch {
    // The engine is away; the next image of this server is followed by another look.
  }
}

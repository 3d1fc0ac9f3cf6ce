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
  await removeAll(
    engine,
    owner,
    ({ tag, labels }) =>
      tag !== keep && labels[SERVER_LABEL] === server && tag.startsWith(`${serverImage(server)}:`),
  );
}

/** The name of the image that packages are compiled in, without a tag. */
export const COMPILER_IMAGE = 'gantry/compiler';

/** Compilers of earlier versions of the bridge image. Never rejects, as above. */
export async function removeOldCompilers(engine: Engine, owner: string, keep: string): Promise<void> {
  await removeAll(engine, owner, ({ tag }) => tag !== keep && tag.startsWith(`${COMPILER_IMAGE}:`));
}

type Listed = Awaited<ReturnType<Engine['images']['list']>>[number];

async function removeAll(engine: Engine, owner: string, isOld: (image: Listed) => boolean): Promise<void> {
  try {
    const old = (await engine.images.list(owner)).filter(isOld);
    await Promise.allSettled(old.map(({ tag }) => engine.images.remove(tag)));
  } catch {
    // The engine is away; the next install is followed by another look.
  }
}

import type { Engine } from '../../engine/index.ts';
import { shortId } from '../../kernel/index.ts';
import { serverImage, sha256 } from '../labels.ts';
import { packFiles } from './build-context.ts';
import type { Builds } from './builds.ts';
import {
  type ContextFiles,
  compilerContext,
  compilingContext,
  copyContext,
  type Package,
  packageContext,
} from './dockerfiles.ts';
import { hasNativeParts, noCompiler } from './install-failure.ts';
import { COMPILER_IMAGE, removeOldCompilers } from './old-images.ts';

export type PackageInstall = {
  readonly owner: string;
  readonly server: string;
  readonly tag: string;
  readonly bridgeTag: string;
  readonly wanted: Package;
  /** The directory of the server's volume, or null. */
  readonly data: string | null;
  readonly buildArgs: Readonly<Record<string, string>>;
};

/** SQLite alone takes one core 90 seconds, and ten minutes where it has to share that core with much else. */
const COMPILING_TIMEOUT_MS = 20 * 60_000;

/**
 * Installs a package into an image of its own. Most packages need no compiler, so it is fetched when one asks for it, and
 * stays out of the image that runs.
 * @throws StartFailure install_failed, GantryError engine_unavailable
 */
export async function installPackage(builds: Builds, engine: Engine, install: PackageInstall): Promise<void> {
  const { owner, server, tag, bridgeTag, wanted, data, buildArgs } = install;
  const build = (made: string, files: ContextFiles, timeoutMs?: number): Promise<void> => {
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    return builds.run({ server, tag: made, context: () => packFiles(files), buildArgs, ...limit });
  };
  try {
    return await build(tag, packageContext(bridgeTag, wanted, data));
  } catch (error) {
    if (wanted.kind !== 'npm' || !hasNativeParts(error)) throw error;
  }
  const files = compilerContext(bridgeTag);
  const compiler = `${COMPILER_IMAGE}:${sha256(JSON.stringify([files, buildArgs])).slice(0, 12)}`;
  await builds
    .ensure(server, compiler, () => build(compiler, files))
    .catch((error: unknown) => {
      throw noCompiler(error, wanted.name);
    });
  await removeOldCompilers(engine, owner, compiler);
  // One of the server's images, so that it goes with its old ones should this process end before it is removed.
  const compiled = `${serverImage(server)}:compiled-${shortId()}`;
  await build(compiled, compilingContext(compiler, wanted), COMPILING_TIMEOUT_MS);
  try {
    await build(tag, copyContext(bridgeTag, compiled, data));
  } finally {
    await engine.images.remove(compiled);
  }
}

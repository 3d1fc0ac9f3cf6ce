import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { extract } from 'tar-stream';
import { EngineError } from '../engine.ts';
import { type DockerConnection, SLOW_MS } from './connection.ts';
import { createOptions } from './create-body.ts';
import { unlessStatus } from './errors.ts';
import { helperLabels } from './helpers.ts';

/** For files such as account lists and locks; nobody needs to hold more in memory. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** As many symbolic links in a row as Linux follows, roughly. */
const MAX_LINKS = 16;

/**
 * One file of an image, through a container that is never started.
 * @throws EngineError not_found when image or file are missing, bad_spec when it is no file or too large
 */
export async function readFile(
  connection: DockerConnection,
  owner: string,
  image: string,
  path: string,
): Promise<Buffer> {
  const body = {
    Image: image,
    Entrypoint: ['-'],
    Labels: helperLabels('read-file', owner),
    HostConfig: { NetworkMode: 'none' },
  };
  const container = await connection.request('image', SLOW_MS, (docker, abortSignal) =>
    docker.createContainer(createOptions(null, body, abortSignal)),
  );
  try {
    return await follow(connection, container.id, path);
  } finally {
    const removed = connection.request('container', SLOW_MS, (docker, abortSignal) =>
      docker.getContainer(container.id).remove({ force: true, v: true, abortSignal }),
    );
    await unlessStatus(removed, 404, 409);
  }
}

async function follow(connection: DockerConnection, id: string, path: string): Promise<Buffer> {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const entry = await connection.request('file', SLOW_MS, async (docker, abortSignal) =>
      firstEntry((await archive(docker, id, at, abortSignal)) as Readable),
    );
    if (entry.kind === 'file') return entry.bytes;
    at = posix.resolve(posix.dirname(at), entry.target);
  }
  throw new EngineError('bad_spec', `${path} leads through too many links.`);
}

function archive(docker: Docker, id: string, path: string, abortSignal: AbortSignal) {
  return docker.getContainer(id).getArchive({ path, abortSignal });
}

type Entry =
  | { readonly kind: 'file'; readonly bytes: Buffer }
  | { readonly kind: 'link'; readonly target: string };

/** Docker answers with a tar of one entry; a link is the link itself. */
async function firstEntry(tar: Readable): Promise<Entry> {
  const entries = extract();
  tar.on('error', (error) => entries.destroy(error));
  tar.pipe(entries);
  try {
    for await (const entry of entries) {
      const { type, size = 0, linkname } = entry.header;
      if (type === 'symlink' || type === 'link') return { kind: 'link', target: linkname ?? '' };
      if (type !== 'file' || size > MAX_FILE_BYTES) {
        throw new EngineError('bad_spec', 'It is not a file, or too large.');
      }
      const pieces: Buffer[] = [];
      for await (const piece of entry) pieces.push(piece as Buffer);
      return { kind: 'file', bytes: Buffer.concat(pieces) };
    }
    throw new EngineError('not_found', 'There is no such file.');
  } finally {
    tar.destroy();
  }
}

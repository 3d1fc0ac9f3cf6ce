import { pack } from 'tar-stream';

/** A tar stream of a few small files, by name. */
export function tarOf(files: Readonly<Record<string, string>>): NodeJS.ReadableStream {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
  tar.finalize();
  // Its types leave out three methods of streams that nobody calls.
  return tar as unknown as NodeJS.ReadableStream;
}

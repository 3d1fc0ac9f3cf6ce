import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export type SourceFiles = Readonly<Record<string, string>>;
export type PackageIndex = { readonly requests: readonly string[]; close(): Promise<void> };

/** A source distribution: `{name}-{version}.tar.gz`. */
export async function sourceDistribution(name: string, version: string, files: SourceFiles): Promise<Buffer> {
  const base = `${name.replaceAll('-', '_')}-${version}`;
  const metadata = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`;
  const archive = pack();
  for (const [path, text] of Object.entries({ 'PKG-INFO': metadata, ...files })) {
    archive.entry({ name: `${base}/${path}` }, text);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

/** Serves packages by the simple index of PEP 503, on all addresses: the engine's builds come from another network. */
export async function servePackages(
  port: number,
  packages: Readonly<Record<string, { readonly file: string; readonly bytes: Buffer }>>,
): Promise<PackageIndex> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.push(path);
    const name = /^\/simple\/([^/]+)\/?$/.exec(path)?.[1];
    const known = name === undefined ? undefined : packages[name];
    const wanted = Object.values(packages).find(({ file }) => path === `/files/${file}`);
    if (known) {
      const digest = createHash('sha256').update(known.bytes).digest('hex');
      response.setHeader('Content-Type', 'text/html');
      response.end(`<!DOCTYPE html><a href="/files/${known.file}#sha256=${digest}">${known.file}</a>`);
    } else if (wanted) {
      response.setHeader('Content-Type', 'application/octet-stream');
      response.end(wanted.bytes);
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await listen(server, port);
  return {
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '0.0.0.0', resolve);
  });
}

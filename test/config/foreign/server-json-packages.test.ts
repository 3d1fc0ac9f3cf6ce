import test from 'ava';
import { doc, npm, oci, refused } from './server-document.ts';

for (const kind of ['nuget', 'mcpb', 'cargo', '__proto__', 'constructor']) {
  test(
    refused,
    `a package of ${kind}`,
    doc(npm({ registryType: kind })),
    /^packages\[0\]\.registryType: must be one of npm/,
  );
}
test(
  refused,
  'a version that is a range',
  doc(npm({ version: '^1.2' })),
  /^packages\[0\]\.version: needs an exact version/,
);
test(
  refused,
  'a package that speaks HTTP',
  doc(npm({ transport: { type: 'sse', url: 'x' } })),
  /^packages\[0\]\.transport: is sse/,
);
test(
  refused,
  'a registry of its own',
  doc(npm({ registryBaseUrl: 'https://evil.example' })),
  /registryBaseUrl: is not where/,
);
test(
  refused,
  'an image with a registry apart',
  doc(oci({ registryBaseUrl: 'https://x.example' })),
  /registryBaseUrl/,
);
test(
  refused,
  'a version twice',
  doc(oci({ version: '9' })),
  /^packages\[0\]\.version: stands in the identifier/,
);
test(refused, 'a hash that nobody checks', doc(npm({ fileSha256: 'ab' })), /fileSha256: cannot be checked/);
test(refused, 'another runtime', doc(npm({ runtimeHint: 'bunx' })), /runtimeHint: must be npx for npm/);
test(
  refused,
  'a remote server over HTTP+SSE',
  doc(npm(), { packages: undefined, remotes: [{ type: 'sse', url: 'https://x' }] }),
  /^remotes\[0\]\.type: must be http or streamable-http/,
);
test(
  refused,
  'a document without a package',
  doc(npm(), { packages: [] }),
  /^packages: is required, unless there are remotes/,
);
test(
  refused,
  'an address without its variable',
  doc(npm(), {
    packages: undefined,
    remotes: [{ type: 'streamable-http', url: 'https://{t}/mcp', variables: { t: {} } }],
  }),
  /^remotes\[0\]\.variables\.t: t is required: give it as answers\.t/,
);
for (const option of [
  '--privileged',
  '--network=host',
  '-v',
  '--mount',
  '-p',
  '--cap-add=ALL',
  '--pid=host',
  '-d',
]) {
  test(
    refused,
    `docker ${option}`,
    doc(oci({ runtimeArguments: [{ type: 'named', name: option }] })),
    new RegExp(`^packages\\[0\\]\\.runtimeArguments\\[0\\]: ${option}`),
  );
}
test(
  refused,
  'an option of npx',
  doc(npm({ runtimeArguments: [{ type: 'named', name: '--registry', value: 'x' }] })),
  /--registry cannot/,
  /x cannot/,
);
test(
  refused,
  'every option of docker that is not on the list, each with its reason,',
  doc(
    oci({
      runtimeArguments: [
        { type: 'named', name: '--privileged', value: 'x' },
        { type: 'named', name: '-v', value: '/:/host' },
        { type: 'named', name: '--network', value: 'host' },
        { type: 'positional', value: 'another/image' },
      ],
    }),
  ),
  /runtimeArguments\[0\]: --privileged cannot be converted/,
  /runtimeArguments\[1\]: -v mounts a path of the host/,
  /runtimeArguments\[2\]: --network chooses a network/,
  /runtimeArguments\[3\]: another\/image is no option/,
);

import {
  LOCK_FILE,
  npmCommandScript,
  pypiCommandScript,
  pypiVersionScript,
  VERSION_FILE,
} from './install-scripts.ts';

/** A build context in memory: file name to content. Everything that decides the image is in it. */
export type ContextFiles = Readonly<Record<string, string>>;

export type Package = {
  readonly kind: 'npm' | 'pypi';
  readonly name: string;
  readonly version: string;
  readonly bin: string | null;
};

/** Containers run as this user where the image does not say; install scripts do too. */
const USER = '10001:10001';
const NODE_HEADERS = '/opt/node-headers';

/** The context that installs one package on top of the bridge image. */
export function packageContext(bridgeTag: string, given: Package, data: string | null): ContextFiles {
  const files = given.kind === 'npm' ? npmFiles(given) : pypiFiles(given);
  return { ...files, Dockerfile: `${preamble(bridgeTag, data)}${files.Dockerfile}${dataInPackage(data)}` };
}

/** The context that only finds out a version. `nonce` keeps the builder from answering with what was newest once. */
export function versionContext(
  bridgeTag: string,
  kind: 'npm' | 'pypi',
  name: string,
  nonce: string,
): ContextFiles {
  const head = `${preamble(bridgeTag, null)}LABEL gantry.nonce=${JSON.stringify(nonce)}\n`;
  if (kind === 'npm') {
    return { Dockerfile: `${head}${run(`npm view "$1" version > ${VERSION_FILE}`, [name])}` };
  }
  const ask = `python3 -m venv /app/venv && /app/venv/bin/pip install --quiet --no-cache-dir --dry-run --no-deps --ignore-installed --report - "$1" | python3 /app/version.py`;
  return {
    Dockerfile: `${head}COPY version.py /app/\n${run(`set -o pipefail; ${ask}`, [name], 'bash')}`,
    'version.py': pypiVersionScript,
  };
}

/**
 * The context of what compiles: the bridge image with a compiler, make and the headers of its Node, which node-gyp would
 * download otherwise. They come from the package that carries Node's binary.
 */
export function compilerContext(bridgeTag: string): ContextFiles {
  const apt = 'apt-get update -qq && apt-get install -y -qq --no-install-recommends make g++';
  const node = '"node-linux-$(node -p process.arch)@$(node -p process.versions.node)"';
  const headers = `npm install --ignore-scripts --no-save --prefix /tmp/node ${node} && mv /tmp/node/node_modules/*/include ${NODE_HEADERS}`;
  return {
    Dockerfile: [
      `FROM ${bridgeTag}`,
      'ARG npm_config_registry',
      'USER 0:0',
      run(`${apt} && rm -rf /var/lib/apt/lists/* /var/cache/apt/* && mkdir "$1" && chown ${USER} "$1"`, [
        NODE_HEADERS,
      ]),
      `USER ${USER}`,
      'ENV HOME=/tmp',
      run(`${headers} && rm -rf /tmp/node /tmp/.npm`, []),
      `ENV npm_config_nodedir=${NODE_HEADERS}`,
    ].join('\n'),
  };
}

/**
 * The context that installs one package where it can be compiled, for `copyContext`. With user namespaces, this kind of
 * builder copies files from other images only where they are root's ("cannot be mapped to a host ID").
 */
export function compilingContext(compiler: string, given: Package): ContextFiles {
  const files = packageContext(compiler, given, null);
  const owned = ['USER 0:0', run('chown -hR 0:0 /app', []), ''].join('\n');
  return { ...files, Dockerfile: `${files.Dockerfile}\n${owned}` };
}

/** The context of an image with a package that another image has installed, and with nothing else of that one. */
export function copyContext(bridgeTag: string, from: string, data: string | null): ContextFiles {
  const copy = `COPY --from=${from} --chown=${USER} /app /app`;
  return { Dockerfile: `${preamble(bridgeTag, data)}${copy}${dataInPackage(data)}` };
}

function npmFiles({ name, version, bin }: Package): ContextFiles & { Dockerfile: string } {
  // The version is exact, and the lock keeps those of everything below it.
  const install = 'npm install --prefix /app --omit=dev --no-audit --no-fund --no-progress --save-exact "$1"';
  return {
    Dockerfile: [
      'COPY --chown=10001:10001 package.json /app/',
      // Install scripts are allowed: native packages need them. They run here, within limits, as nobody.
      run(`${install} && rm -rf /tmp/.npm`, [`${name}@${version}`]),
      'COPY --chown=10001:10001 command.mjs /app/',
      run('node /app/command.mjs "$1" "$2"', [name, bin ?? '']),
    ].join('\n'),
    'package.json': '{"name":"gantry-server","private":true}\n',
    'command.mjs': npmCommandScript,
  };
}

function pypiFiles({ name, version, bin }: Package): ContextFiles & { Dockerfile: string } {
  const install = '/app/venv/bin/pip install --no-cache-dir --progress-bar off "$1"';
  return {
    Dockerfile: [
      run(`python3 -m venv /app/venv && ${install} && /app/venv/bin/pip freeze > ${LOCK_FILE.pypi}`, [
        `${name}==${version}`,
      ]),
      'COPY --chown=10001:10001 command.py /app/',
      run('/app/venv/bin/python /app/command.py "$1" "$2"', [name, bin ?? '']),
    ].join('\n'),
    'command.py': pypiCommandScript,
  };
}

/**
 * Some programs keep their data in a directory of their own package. It is made when the package is there: before, the
 * directories above it would be root's, and nothing could be installed into them.
 */
function dataInPackage(data: string | null): string {
  return data?.startsWith('/app/') ? `\n${run('mkdir -p "$1"', [data])}` : '';
}

/** Until USER, root only makes directories; what is foreign runs after it. */
function preamble(bridgeTag: string, data: string | null): string {
  const directories = ['/app', ...(data === null || data.startsWith('/app/') ? [] : [data])];
  return [
    `FROM ${bridgeTag}`,
    'ARG PIP_INDEX_URL',
    'ARG PIP_TRUSTED_HOST',
    'ARG npm_config_registry',
    'USER 0:0',
    run(`mkdir -p "$@" && chown ${USER} "$@"`, directories),
    `USER ${USER}`,
    'ENV HOME=/tmp',
    'WORKDIR /app',
    '',
  ].join('\n');
}

/** A step in exec form: values are arguments of the shell and never part of its program. */
function run(script: string, values: readonly string[], shell = 'sh'): string {
  return `RUN ${JSON.stringify([shell, '-c', script, shell, ...values])}`;
}

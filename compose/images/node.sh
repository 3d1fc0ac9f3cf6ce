#!/bin/sh
# Puts Node and npm into /opt/node. $1: version of Node, $2: version of npm.
set -eu

# The package `node` only asks for the one with the binary for this processor: fetched directly, no script runs.
arch=$(node -p process.arch)
mkdir -p /tmp/fetch
cd /tmp/fetch
npm install --ignore-scripts --no-audit --no-fund --no-save "node-linux-$arch@$1"
mkdir -p /opt/node/bin
cp -a "node_modules/node-linux-$arch/bin/node" /opt/node/bin/node
PATH=/opt/node/bin:$PATH npm install --ignore-scripts --no-audit --no-fund --global --prefix /opt/node "npm@$2"
test "$(/opt/node/bin/node -v)" = "v$1"
rm -rf /tmp/fetch /root/.npm

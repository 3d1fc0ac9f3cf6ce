#!/bin/sh
# Installs Debian packages and leaves nothing else behind in the layer.
set -eu
export DEBIAN_FRONTEND=noninteractive
# Services must not start inside a build, and syncing every file to disk is time lost in a layer.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe-io
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/unsafe-io

#!/bin/bash
# Starts the engine that MCP containers run in. The order matters: limits need the cgroups, nobody may reach the engine
# without a certificate, and no container may start before the firewall stands.
set -euo pipefail
here=$(dirname "$0")
. "$here/cgroups.sh"
. "$here/certs.sh"
. "$here/firewall.sh"
. "$here/networks.sh"

# A killed engine leaves these behind and would refuse to start on them.
rm -f /run/docker.pid /run/docker/containerd/containerd.pid

# The networks are made anew below. Remembered ones could overlap with the subnet the stack was given this time, and no
# container outlives its engine that would still need them.
rm -f /var/lib/docker/*/network/files/local-kv.db

make_cgroups_writable /sys/fs/cgroup
make_certificates /certs
# Bind mounts made by the engine have to reach the containers it starts.
mount --make-rshared /
make_firewall

make_networks &
# The engine takes the place of this shell, so a signal to stop reaches it directly.
exec dockerd

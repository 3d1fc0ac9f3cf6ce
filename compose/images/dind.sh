#!/bin/sh
# Docker Engine with its command line, gVisor (runsc), and what the entrypoint calls.
set -eu
sh /opt/setup/apt.sh docker.io docker-cli runsc iptables iproute2 openssl procps

# Ids the engine maps its containers to: root in one of them is nobody outside.
useradd --system --no-create-home --shell /usr/sbin/nologin dockremap
echo dockremap:100000:65536 | tee /etc/subuid >/etc/subgid

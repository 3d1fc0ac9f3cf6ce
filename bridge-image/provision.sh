#!/bin/sh
# Last step of the image that servers from npm and PyPI run in: its user, and nothing that changes from build to build.
set -eu
useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin mcp
# The certificate authorities of the host are in the system's bundle; `changes` points Node, npm and pip at it.
test -s /etc/ssl/certs/ca-certificates.crt
find /var/log /var/cache /tmp /root -mindepth 1 -type f -delete
find / -xdev -name __pycache__ -type d -prune -exec rm -rf {} +
rm -rf /opt/setup

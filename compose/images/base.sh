#!/bin/sh
# Prepares the base of every image: root certificates, and those of the host where it has some of its own.
set -eu

# Slim images come without certificates, a bootstrapped base has them already.
if ! dpkg -s ca-certificates >/dev/null 2>&1; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends ca-certificates
  rm -rf /var/lib/apt/lists/*
fi

# One file for each certificate: update-ca-certificates refuses to hash bundles.
if [ -n "${GANTRY_EXTRA_CA:-}" ]; then
  printf '%s\n' "$GANTRY_EXTRA_CA" | awk '
    /-----BEGIN CERTIFICATE-----/ { file = sprintf("/usr/local/share/ca-certificates/host-%02d.crt", ++count) }
    file { print > file }
    /-----END CERTIFICATE-----/ { close(file); file = "" }'
fi
update-ca-certificates >/dev/null

#!/bin/sh
# Packs a root file system so that equal content gives equal bytes, and names it by them.
# $1: root file system, $2: file with the image's settings, $3: where rootfs.tar, changes and tag are written.
set -eu
mkdir -p "$3"
tar --create --sort=name --mtime=@0 --numeric-owner --one-file-system --directory="$1" --file="$3/rootfs.tar" .
cp "$2" "$3/changes"
echo "gantry/bridge-image:$(cat "$3/rootfs.tar" "$3/changes" | sha256sum | cut -c1-12)" >"$3/tag"
chmod 0444 "$3"/*

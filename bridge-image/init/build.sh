#!/bin/sh
# Compiles the first process of the bridge image. $1: where the program goes; CFLAGS adds to the flags.
# Static: it runs in whatever is built on the image. What the language leaves undefined ends it instead of going on.
set -eu
cd "$(dirname "$0")"
exec gcc -std=gnu17 -O2 -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion \
  -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fsanitize=undefined -fsanitize-undefined-trap-on-error \
  -static -s ${CFLAGS:-} -o "$1" ./*.c

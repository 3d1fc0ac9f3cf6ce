#!/bin/sh
# Compiles the first process of the bridge image. $1: where the program goes. What is undefined in C ends it instead of
# going on; static, it runs in whatever is built on the image. HARDENING replaces these two, to look for errors.
set -eu
cd "$(dirname "$0")"
: "${HARDENING:=-O2 -static -s -D_FORTIFY_SOURCE=2 -fsanitize=undefined -fsanitize-undefined-trap-on-error}"
# shellcheck disable=SC2086 # flags are several words
exec gcc -std=gnu17 -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -fstack-protector-strong \
  $HARDENING -o "$1" ./*.c

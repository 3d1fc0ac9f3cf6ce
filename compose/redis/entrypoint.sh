#!/bin/sh
# Makes the password at the first start, on a volume that the orchestrator mounts read-only.
set -eu
password=/secret/redis-password
if [ ! -s "$password" ]; then
  umask 027
  head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$password.new"
  mv "$password.new" "$password"
fi
# Three quarters of what the container may use: the rest is for the copy that rewriting the file takes. Refusing what does
# not fit is better than being killed for it.
# The first file is that of cgroup v2, the second that of v1.
limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes || echo max)
case $limit in
  *[!0-9]*) maxmemory=0 ;;
  *) maxmemory=$((limit / 4 * 3)) ;;
esac
# Handed over on stdin: an argument would stand in the list of processes, a file would need a writable place.
exec redis-server - <<END
$(cat /opt/redis/redis.conf)
requirepass $(cat "$password")
maxmemory $maxmemory
END

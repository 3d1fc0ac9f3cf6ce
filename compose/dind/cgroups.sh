# Makes the container's own part of the cgroup tree writable, so that limits set by the inner engine hold.

# $1: where cgroups are mounted, /sys/fs/cgroup outside of tests.
make_cgroups_writable() {
  if [ -f "$1/cgroup.controllers" ]; then
    remount_writable "$1"
    nest_cgroup_v2 "$1"
  else
    local controller
    for controller in "$1"/*/; do
      # Combined controllers show up twice, once as a link: cpu -> cpu,cpuacct.
      if [ ! -L "${controller%/}" ] && mountpoint -q "$controller"; then
        remount_writable "${controller%/}"
      fi
    done
  fi
}

# `bind` changes this mount alone. Without it the superblock would be changed, which other containers share.
remount_writable() {
  mount -o remount,bind,rw "$1"
}

# A cgroup (v2) that hands controllers to children may hold no process itself: all of them move to a child first.
# $1: root of the tree.
nest_cgroup_v2() {
  mkdir -p "$1/init"
  local attempt
  # A `docker exec` can put a new process at the root between the two steps: then they are done again.
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    move_processes "$1/cgroup.procs" "$1/init/cgroup.procs"
    if enable_controllers "$1"; then
      return 0
    fi
  done
  echo "cgroups: cannot enable controllers in $1 after $attempt attempts" >&2
  return 1
}

# $1, $2: files listing the processes of the source and the target. A process may end before it is moved.
move_processes() {
  local pid
  while read -r pid; do
    echo "$pid" >>"$2" || true
  done <"$1" 2>/dev/null
}

# $1: root of the tree. Fails when a process is left at the root.
enable_controllers() {
  sed -e 's/ / +/g' -e 's/^/+/' "$1/cgroup.controllers" 2>/dev/null | tee "$1/cgroup.subtree_control" >/dev/null 2>&1
}

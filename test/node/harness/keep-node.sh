# keep-node.sh FOLDER NAME: runs a node until standard input closes, then takes away what a kernel does not take away by itself.
# Standard input closes when the test process is gone, however it ended.
folder=$1 name=$2

# cgroup v1 has a tree for each controller, v2 has one.
cgroup_trees() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; return; fi
  local tree
  for tree in /sys/fs/cgroup/*; do mountpoint -q "$tree" && echo "$tree"; done
}

make_cgroups() {
  local tree file
  for tree in $(cgroup_trees); do
    mkdir -p "$tree/$name"
    # Of cgroup v1 only: a new cpuset has no processor, and nothing can be put into it.
    for file in cpuset.cpus cpuset.mems; do
      if [ -e "$tree/$file" ] && [ ! -e "$tree/cgroup.controllers" ]; then cat "$tree/$file" >"$tree/$name/$file"; fi
    done
  done
}

# The last processes may still be dying, for longer on a busy machine: up to a minute.
remove_cgroups() {
  local tree left
  for _ in $(seq 600); do
    left=
    for tree in $(cgroup_trees); do
      [ -d "$tree/$name" ] || continue
      find "$tree/$name" -depth -type d -exec rmdir {} + 2>/dev/null
      [ ! -d "$tree/$name" ] || left=1
    done
    [ -n "$left" ] || return
    sleep 0.1
  done
}

make_cgroups
exec 3<&0
# --net and not `ip netns exec`, which mounts another /sys, without the cgroups. --kill-child: with process 1 dies the whole node.
unshare --net --mount --pid --uts --ipc --fork --kill-child --mount-proc bash "$(dirname "$0")/node-init.sh" "$folder" "$name" </dev/null 3<&- &
child=$!
echo "$child" >"$folder/run/unshare.pid"
{
  read -r _ <&3
  kill -KILL "$child"
} >/dev/null 2>&1 &
guard=$!
wait "$child"
kill -KILL "$guard" 2>/dev/null
remove_cgroups

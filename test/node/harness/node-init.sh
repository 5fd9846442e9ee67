# node-init.sh FOLDER NAME: process 1 of a node. Makes the node's own mounts and network, then keeps each of FOLDER/components running.
set -eu
folder=$1 name=$2

mount --make-rprivate /
# -n: without it mount makes /run/mount for its own notes, and this /run is still the machine's.
mount -n -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns
# kubelet and CNI make folders in /var/lib; they go to a layer of the node's own.
mkdir -p "$folder"/var/{lib,lib-work,log,kubelet}
mount -t overlay -o "lowerdir=/var/lib,upperdir=$folder/var/lib,workdir=$folder/var/lib-work" overlay /var/lib
mkdir -p /var/lib/kubelet /var/lib/cni
mount --bind "$folder/var/kubelet" /var/lib/kubelet
mount --make-rshared /var/lib/kubelet
mount --bind "$folder/var/log" /var/log
# The kubelet sets these for the whole machine; here it writes to stand-ins.
mkdir -p "$folder/sysctl"
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  [ -e "/proc/sys/${setting%=*}" ] || continue
  file=$folder/sysctl/$(echo "${setting%=*}" | tr / _)
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%=*}"
done
hostname "$name"

ip link set lo up
ip link add node0 type bridge
ip addr add "$NODE_ADDRESS/24" dev node0
ip link set node0 up
# Without a route the node could not send to a Service before kube-proxy rewrites the address. Anything else is unreachable at once.
ip route add "$SERVICE_NETWORK" dev node0 src "$NODE_ADDRESS"
echo 1 >/proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables

# As an init system would: starts it again when it ends, unless FOLDER/stopped says that it is to stay down.
keep() {
  local component=$1
  while :; do
    while [ -e "$folder/stopped/$component" ]; do sleep 0.1; done
    bash "$folder/components/$component" >>"$folder/log/$component.log" 2>&1 </dev/null || echo "$component ended with $?" >>"$folder/log/init.log"
    sleep 0.2
  done
}
for file in "$folder"/components/*; do keep "$(basename "$file")" & done

echo ready >"$folder/run/init"
# As process 1, bash also reaps what the containers leave behind.
while :; do wait || true; sleep 1; done

#!/usr/bin/env bash
# PID 1 of the cluster's namespaces: furnishes them, starts the cluster's programs and waits. With it all of them end.
# shellcheck disable=SC1091 # a neighbour
. "$(dirname "$0")/lib.sh"
log=$NODE_STATE/log
pki=$NODE_STATE/pki

# --- files: every mount is this namespace's own, so none stays behind
mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs /run # sockets, network namespaces, runc's state, locks
mkdir -p /run/lock /run/netns /var/lib/cni /var/log/containers
mount -t tmpfs tmpfs /var/lib/cni
mount -t tmpfs tmpfs /var/log/containers

# The kubelet wants these settings of the kernel, and would change them for the whole machine: it is shown what it wants.
shown() {
  local file=$NODE_STATE/sysctl/${1//\//.}
  mkdir -p "$NODE_STATE/sysctl"
  echo "$2" >"$file"
  mount --bind "$file" "/proc/sys/$1"
}
shown vm/overcommit_memory 1
shown vm/panic_on_oom 0
shown kernel/panic 10
shown kernel/panic_on_oops 1
shown kernel/keys/root_maxkeys 1000000
shown kernel/keys/root_maxbytes 25000000

# Names are the cluster's, or fail at once.
printf '127.0.0.1 localhost\n%s %s\n' "$NODE_IP" "$NODE_NAME" >"$NODE_STATE/hosts"
mount --bind "$NODE_STATE/hosts" /etc/hosts
printf 'nameserver %s\n' "$NODE_IP" >"$NODE_STATE/resolv.conf"
mount --bind "$NODE_STATE/resolv.conf" "$(realpath /etc/resolv.conf)"

# --- network
hostname "$NODE_NAME"
ip link set lo up
ip link add name node0 type veth peer name node0p # not every kernel has dummies
ip address add "$NODE_IP/32" dev node0
ip link set node0 up
ip link set node0p up
ip route add "$SERVICE_NETWORK" dev node0 # until kube-proxy's rules apply, a service's address needs a route
echo 1 >/proc/sys/net/ipv4/ip_forward

# --- cgroups: one above all pods, in every hierarchy
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then # version 2
  mkdir -p /sys/fs/cgroup/"$NODE_CGROUP"
  for parent in /sys/fs/cgroup "/sys/fs/cgroup/$NODE_CGROUP"; do
    for controller in cpuset cpu io memory pids; do
      echo "+$controller" >"$parent/cgroup.subtree_control"
    done
  done
else
  for hierarchy in /sys/fs/cgroup/*/; do
    [ -e "${hierarchy}cgroup.procs" ] || continue
    mkdir -p "$hierarchy$NODE_CGROUP"
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$hierarchy$file" ] || cat "$hierarchy$file" >"$hierarchy$NODE_CGROUP/$file"
    done
  done
fi

# --- configuration
cat >"$NODE_STATE/containerd.toml" <<END
version = 2
root = "$NODE_STATE/containerd"
state = "/run/containerd"
[grpc]
  address = "$CONTAINERD_SOCKET"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  restrict_oom_score_adj = true # root may lack the capability to lower it
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "$(command -v runc)"
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$CNI_PLUGINS"
    conf_dir = "$NODE_STATE/cni"
END
mkdir -p "$NODE_STATE/cni"
cat >"$NODE_STATE/cni/10-pods.conflist" <<END
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": "$POD_NETWORK"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
END
cat >"$NODE_STATE/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /$NODE_CGROUP
failSwapOn: false
protectKernelDefaults: true
containerRuntimeEndpoint: unix://$CONTAINERD_SOCKET
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $pki/kubelet-server.crt
tlsPrivateKeyFile: $pki/kubelet-server.key
resolvConf: ""
clusterDNS: [$NODE_IP]
clusterDomain: cluster.local
podLogsDir: $NODE_STATE/podlogs
volumePluginDir: $NODE_STATE/volumeplugins
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
nodeStatusUpdateFrequency: 5s
END
cat >"$NODE_STATE/proxy.yaml" <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: $POD_NETWORK
clientConnection: {kubeconfig: $NODE_STATE/proxy.kubeconfig}
hostnameOverride: $NODE_NAME
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
END
cat >"$NODE_STATE/Corefile" <<END
.:53 {
  bind $NODE_IP
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $ADMIN_KUBECONFIG
  }
}
END

# --- programs: `ended` names those that should run and do not
start() {
  local name=$1
  ( code=0; "$@" >"$log/$name.log" 2>&1 || code=$?; echo "$name ended: $code" >>"$log/ended" ) &
}
answers() { within 60 "$@" >/dev/null || die "never: $*"; }
export KUBECONFIG=$ADMIN_KUBECONFIG
cd "$NODE_STATE" || exit
start containerd -c "$NODE_STATE/containerd.toml"
start etcd --data-dir "$NODE_STATE/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
start kube-apiserver --etcd-servers=http://127.0.0.1:2379 --advertise-address="$NODE_IP" --bind-address=0.0.0.0 \
  --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
  --kubelet-client-certificate="$pki/apiserver-kubelet.crt" --kubelet-client-key="$pki/apiserver-kubelet.key" \
  --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$pki/serviceaccounts.pub" \
  --service-account-signing-key-file="$pki/serviceaccounts.key" --service-cluster-ip-range="$SERVICE_NETWORK" \
  --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction
answers kubectl --request-timeout=2s get --raw /readyz
start kube-controller-manager --kubeconfig="$NODE_STATE/controller-manager.kubeconfig" --use-service-account-credentials \
  --service-account-private-key-file="$pki/serviceaccounts.key" --root-ca-file="$pki/ca.crt" \
  --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" --leader-elect=false --bind-address=127.0.0.1
start kube-scheduler --kubeconfig="$NODE_STATE/scheduler.kubeconfig" --leader-elect=false --bind-address=127.0.0.1
answers ctr -a "$CONTAINERD_SOCKET" version
ctr -a "$CONTAINERD_SOCKET" -n k8s.io images import "$NODE_IMAGES/pause.tar" >"$log/import.log" 2>&1
start kubelet --config="$NODE_STATE/kubelet.yaml" --kubeconfig="$NODE_STATE/kubelet.kubeconfig" --root-dir="$NODE_STATE/kubelet" \
  --cert-dir="$pki" --hostname-override="$NODE_NAME" --node-ip="$NODE_IP"
# What kubeadm would bind: the proxy's user has no rights by itself.
kubectl create clusterrolebinding kube-proxy --clusterrole=system:node-proxier --user=system:kube-proxy >/dev/null
start kube-proxy --config="$NODE_STATE/proxy.yaml"
start coredns -conf "$NODE_STATE/Corefile"

# The programs are its children, and so become the orphans of pods.
while :; do
  wait || true
  sleep 1
done

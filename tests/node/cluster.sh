# shellcheck shell=bash
# Starts the cluster, enters it and ends it; to be sourced.

# Which process is PID 1 of the cluster's namespaces, if it runs.
cluster_pid() {
  local pid
  pid=$(cat "$NODE_STATE/init.pid" 2>/dev/null) || return 1
  grep -qzxF "$NODE_SCRIPTS/init.sh" "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
}

# inside COMMAND...: runs a command in the cluster's namespaces, in the same directory, as its administrator.
inside() {
  local pid
  pid=$(cluster_pid) || { say "the cluster does not run"; return 1; }
  # shellcheck disable=SC2016 # for the inner shell
  nsenter --target "$pid" --mount --uts --ipc --net --pid -- \
    env KUBECONFIG="$ADMIN_KUBECONFIG" PATH="$PATH" HELM_CACHE_HOME="$NODE_STATE/helm" HELM_CONFIG_HOME="$NODE_STATE/helm" HELM_DATA_HOME="$NODE_STATE/helm" \
    sh -c 'cd "$1" && shift && exec "$@"' sh "$PWD" "$@"
}

# Ends every process of the cluster by ending the first one, and removes what it left.
end_cluster() {
  local pid
  if pid=$(cluster_pid); then
    kill -KILL "$pid"
    within 20 test ! -d "/proc/$pid"
  fi
  within 20 remove_cgroups || say "cgroups $NODE_CGROUP are left"
  rm -rf --one-file-system "$NODE_STATE"
}

# The cluster's cgroups; with version 1 there is one in each hierarchy.
cgroups() { find /sys/fs/cgroup -maxdepth 2 -type d -name "$NODE_CGROUP"; }

# A group goes after those in it; one whose process has not quite ended goes the next time.
remove_cgroups() {
  local groups
  mapfile -t groups < <(cgroups)
  [ ${#groups[@]} != 0 ] || return 0
  find "${groups[@]}" -depth -type d -exec rmdir {} + || true
  [ -z "$(cgroups)" ]
}

# start_cluster [WRAPPER...]: WRAPPER is put before the program that holds the namespaces.
start_cluster() {
  end_cluster
  mkdir -p "$NODE_STATE/log"
  make_certificates >"$NODE_STATE/log/certificates.log" 2>&1 || { cat "$NODE_STATE/log/certificates.log" >&2; die "no certificates"; }
  "$@" unshare --mount --propagation private --uts --ipc --net --pid --fork --kill-child --mount-proc \
    bash "$NODE_SCRIPTS/init.sh" </dev/null >"$NODE_STATE/log/init.log" 2>&1 &
  local holder=$! pid
  pid=$(within 10 first_child $holder) || die "unshare failed: $(cat "$NODE_STATE/log/init.log")"
  echo "${pid%% *}" >"$NODE_STATE/init.pid"
  if ! within 90 node_is_ready >/dev/null; then
    cat "$NODE_STATE/log/init.log" "$NODE_STATE/log/ended" >&2 || true
    die "the node is not Ready; see $NODE_STATE/log"
  fi
}

first_child() { grep . "/proc/$1/task/$1/children"; }

node_is_ready() {
  inside kubectl --request-timeout=2s wait "node/$NODE_NAME" --for=condition=Ready --timeout=1s
}

# import ARCHIVE...: makes images known to the node.
import() {
  local archive
  for archive; do
    inside ctr -a "$CONTAINERD_SOCKET" -n k8s.io images import "$archive" >>"$NODE_STATE/log/import.log" 2>&1
  done
}

# The image that holds a pod's namespaces, which the node has before its first pod.
build_pause_image() {
  [ ! -e "$NODE_IMAGES/pause.tar" ] || return 0
  local work=$NODE_HOME/pause
  rm -rf "$work"
  mkdir -p "$work/context" "$NODE_IMAGES"
  cp "$NODE_PROGRAMS/pause" "$work/context/"
  printf 'FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n' >"$work/context/Containerfile"
  local buildah=(buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run")
  "${buildah[@]}" build --quiet --isolation chroot --tag "$PAUSE_IMAGE" "$work/context" >/dev/null
  "${buildah[@]}" push --quiet "$PAUSE_IMAGE" "docker-archive:$NODE_IMAGES/pause.tar:$PAUSE_IMAGE"
  rm -rf "$work"
}

# shellcheck shell=bash
# Settings and small helpers; to be sourced. Everything lies below cargo's target directory.
set -euo pipefail
shopt -s inherit_errexit

NODE_SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORKSPACE=$(cd "$NODE_SCRIPTS/../.." && pwd)
target=$(cd "$WORKSPACE" && mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)

NODE_HOME=$target/node
NODE_STATE=$NODE_HOME/cluster # of one cluster: emptied when one starts
NODE_IMAGES=$NODE_HOME/images
# Another content of the modules is another set of programs.
NODE_PROGRAMS=$NODE_HOME/programs-$(cat "$NODE_SCRIPTS"/programs/{go.*,*/*.go} "$WORKSPACE"/tests/tools/go.* | sha256sum | cut -c -12)

NODE_NAME=node1
# The cgroup above all pods, by a name of this directory's own.
NODE_CGROUP=pam-operator-node-$(cksum <<<"$NODE_HOME" | cut -d ' ' -f 1)

# These addresses exist in the cluster's own network namespace alone, out of which no way leads.
NODE_IP=172.31.255.1
POD_NETWORK=10.244.0.0/24
SERVICE_NETWORK=10.96.0.0/16
API_SERVICE=10.96.0.1

# The name by which the chart asks for the image when nothing is set: nothing is pulled, for the node has it.
IMAGE=ghcr.io/pam-operator/pam-operator:$(awk '$1 == "appVersion:" { gsub(/"/, "", $2); print $2 }' "$WORKSPACE/charts/pam-operator/Chart.yaml")
PAUSE_IMAGE=localhost/pause:1
CONTAINERD_SOCKET=/run/containerd/containerd.sock # in the cluster's own /run
ADMIN_KUBECONFIG=$NODE_STATE/admin.kubeconfig

# Debian lays plugins elsewhere than their authors do.
CNI_PLUGINS=/usr/lib/cni
[ -x $CNI_PLUGINS/bridge ] || CNI_PLUGINS=/opt/cni/bin

export WORKSPACE NODE_SCRIPTS NODE_HOME NODE_STATE NODE_IMAGES NODE_PROGRAMS NODE_NAME NODE_CGROUP NODE_IP POD_NETWORK
export SERVICE_NETWORK API_SERVICE IMAGE PAUSE_IMAGE CONTAINERD_SOCKET ADMIN_KUBECONFIG CNI_PLUGINS

export PATH=$NODE_PROGRAMS:$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*" >&2; }
die() { say "tests/node: $*"; exit 1; }

now() { date +%s.%N; }
# How many seconds have passed since then, with two digits.
since() { awk -v then="$1" -v now="$(now)" 'BEGIN { printf "%.2f", now - then }'; }

# outcome COMMAND...: runs a command that ends with the first one in it that fails, and keeps what it prints in OUTPUT and its
# exit code in CODE. Call it, and what calls it, as a command of its own: in a condition or before `||` bash ignores `set -e`.
outcome() {
  set +e
  OUTPUT=$(
    set -e
    "$@" 2>&1
  )
  CODE=$?
  set -e
}

# within SECONDS COMMAND...: repeats a command until it succeeds; prints what it printed the last time.
within() {
  local end=$((SECONDS + $1)) OUTPUT CODE
  shift
  outcome "$@"
  while [ "$CODE" != 0 ] && [ $SECONDS -lt $end ]; do
    sleep 0.1
    outcome "$@"
  done
  [ -z "$OUTPUT" ] || printf '%s\n' "$OUTPUT"
  return "$CODE"
}

# shellcheck shell=bash
# What the node runs: Debian's packages, and Kubernetes, etcd, CoreDNS and helm from their Go modules; to be sourced.

# Program and package. A program that is there is used, wherever it comes from.
packages=(
  buildah:buildah
  conntrack:conntrack
  containerd:containerd
  "$CNI_PLUGINS/bridge:containernetworking-plugins"
  ip:iproute2
  iptables:iptables
  jq:jq
  openssl:openssl
  runc:runc
)

fetch_packages() {
  local entry missing=()
  for entry in "${packages[@]}"; do
    command -v "${entry%:*}" >/dev/null || missing+=("${entry#*:}")
  done
  [ ${#missing[@]} != 0 ] || return 0
  command -v apt-get >/dev/null || die "install these, or what your distribution calls them: ${missing[*]}"
  say "fetching Debian's packages ${missing[*]}"
  # Their services must not start: the cluster has processes of its own.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
  else
    policy=
  fi
  local failed=
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } \
    >"$NODE_HOME/packages.log" 2>&1 || failed=1
  [ -z "$policy" ] || rm -f $policy
  [ -z "$failed" ] || { tail -20 "$NODE_HOME/packages.log" >&2; die "apt-get failed"; }
}

# The version of a module that a go.mod requires.
required() {
  awk -v module="$2" '$1 == module { print $2; exit } $1 == "require" && $2 == module { print $3; exit }' "$1"
}

# build MODULE LDFLAGS OUTPUT PACKAGE...: the flags are those of tests/testbed, so that both share what is compiled.
build() {
  local module=$1 ldflags=$2 output=$3
  shift 3
  (cd "$module" && GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w $ldflags" -o "$output" "$@")
}

build_programs() {
  [ ! -e "$NODE_PROGRAMS" ] || return 0
  command -v go >/dev/null || die "there is no \`go\`: install Go 1.26 or later (https://go.dev/dl)"
  local version=component-base/version begin name unfinished=$NODE_PROGRAMS.unfinished
  local kubernetes helm
  kubernetes=$(required "$NODE_SCRIPTS/programs/go.mod" k8s.io/kubernetes)
  helm=$(required "$WORKSPACE/tests/tools/go.mod" helm.sh/helm/v4)
  begin=$(now)
  say "building Kubernetes $kubernetes, etcd, CoreDNS and helm $helm from their Go modules (once: minutes, and a download)"
  rm -rf "$NODE_HOME"/programs-*
  mkdir -p "$unfinished"
  # Clients and charts ask the server for its version, so it has to know one.
  IFS=. read -r major minor _ <<<"${kubernetes#v}"
  local flags="-X k8s.io/$version.gitVersion=$kubernetes -X k8s.io/$version.gitMajor=$major -X k8s.io/$version.gitMinor=$minor"
  flags+=" -X k8s.io/$version.gitCommit=unknown -X k8s.io/$version.gitTreeState=clean -X k8s.io/$version.buildDate=1970-01-01T00:00:00Z"
  local commands=()
  for name in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
    commands+=("k8s.io/kubernetes/cmd/$name")
  done
  build "$NODE_SCRIPTS/programs" "$flags" "$unfinished/" "${commands[@]}" go.etcd.io/etcd/server/v3 ./coredns ./pause
  mv "$unfinished/server" "$unfinished/etcd"
  build "$WORKSPACE/tests/tools" "-X helm.sh/helm/v4/internal/version.version=$helm" "$unfinished/helm" helm.sh/helm/v4/cmd/helm
  mv "$unfinished" "$NODE_PROGRAMS"
  say "built in $(since "$begin") s"
}

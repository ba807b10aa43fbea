# shellcheck shell=bash
# What the operator does on the node; to be sourced.

refused_unless_restricted() {
  outcome own run privileged --image="$IMAGE"
  [ "$CODE" != 0 ] || fail "it was admitted"
  grep -q 'violates PodSecurity "restricted' <<<"$OUTPUT" || fail "$OUTPUT"
}

# Installs the chart and applies an example: from here to Ready is what a user waits for.
install() {
  local begin installed
  begin=$(now)
  inside helm install "$RELEASE" "$WORKSPACE/charts/pam-operator" --namespace "$NAMESPACE" --wait --timeout 120s \
    --set "simulator.enabled=true,simulator.allowedNamespaces={$TEAM}"
  installed=$(since "$begin")
  inside kubectl create namespace "$TEAM"
  inside kubectl apply --server-side -f "$WORKSPACE/examples/03-passwords.yaml"
  # The example's connection is the simulator's here.
  sed 's/name: vault}/name: simulator}/' "$WORKSPACE/examples/11-password.yaml" | inside kubectl apply --server-side -f -
  ready 60
  note "installed after $installed s, first credential Ready $(since "$begin") s after helm install began"
}

# confined POD: what the kernel says of its process, not what its manifest asks for.
confined() {
  local pid status none=0000000000000000
  pid=$(process "$1")
  status=$(inside cat "/proc/$pid/status")
  field() { awk -v name="$1:" '$1 == name { $1 = ""; print substr($0, 2) }' <<<"$status"; }
  equal "user $(field Uid)" "user 65532 65532 65532 65532"
  equal "group $(field Gid)" "group 65532 65532 65532 65532"
  equal "capabilities $(field CapEff) $(field CapPrm) $(field CapBnd)" "capabilities $none $none $none"
  equal "no new privileges: $(field NoNewPrivs)" "no new privileges: 1"
  equal "seccomp mode $(field Seccomp)" "seccomp mode 2"
  equal "root $(inside cat "/proc/$pid/mountinfo" | awk '$5 == "/" { print substr($6, 1, 2) }')" "root ro"
}

all_confined() {
  local pod number=0
  for pod in $(own get pods -o 'jsonpath={.items[*].metadata.name}'); do
    echo "in $pod:"
    confined "$pod"
    number=$((number + 1))
  done
  equal "$number pods" "3 pods"
  note "$number pods with uid 65532, no capability, no new privileges, seccomp, a read-only root"
}

# What the kubelet counted: every kind of probe of every pod has succeeded, and no pod was restarted.
probed() {
  local counted pod kind
  counted=$(inside kubectl get --raw "/api/v1/nodes/$NODE_NAME/proxy/metrics/probes")
  for pod in $(pods); do
    for kind in Startup Readiness Liveness; do
      grep -q "^prober_probe_total{.*pod=\"$pod\".*probe_type=\"$kind\".*result=\"successful\"" <<<"$counted" ||
        fail "no $kind probe of $pod has succeeded"
    done
  done
  equal "$(own get pods -o 'jsonpath={.items[*].status.containerStatuses[*].restartCount}' | tr ' ' '\n' | sort -u)" 0
}

# rotated TEXT: a changed Secret is in the PAM.
rotated() {
  local before begin
  before=$(fingerprint)
  begin=$(now)
  set_password "example-password-$1"
  within 20 rotated_from "$before"
  note "in the PAM after $(since "$begin") s"
}

# The leader's pod is deleted: it gives the lease back while it ends.
leader_deleted() {
  local leads begin waited
  leads=$(leader)
  begin=$(now)
  own delete pod "$leads" --wait=false
  within 20 another_leads_than "$leads"
  waited=$(since "$begin")
  below "$waited" 5
  note "after $waited s"
}

# The leader stands still, as on a node that hangs: it gives nothing back, and may not act when it goes on.
leader_frozen() {
  local leads pid before begin waited
  leads=$(leader)
  pid=$(process "$leads")
  before=$(fingerprint)
  begin=$(now)
  # shellcheck disable=SC2064 # this process
  trap "inside kill -CONT $pid" EXIT
  inside kill -STOP "$pid"
  set_password example-password-frozen
  within 40 another_leads_than "$leads"
  waited=$(since "$begin")
  within 20 rotated_from "$before"
  note "another pod leads after $waited s, the Secret that changed meanwhile is in the PAM after $(since "$begin") s"
  below "$waited" 20
  inside kill -CONT "$pid"
  trap - EXIT
  within 60 restarted "$leads"
}

# It ended by itself, with the exit code of a leader that slept too long, and the kubelet started it again.
restarted() {
  local container
  container=$(own get pod "$1" -o json | jq -c '.status.containerStatuses[0] | [.restartCount, .lastState.terminated.exitCode, .ready]')
  equal "$container" "[1,3,true]"
}

# shellcheck shell=bash
# How a check is made and told, and what checks look at; to be sourced.

export RELEASE=pam-operator NAMESPACE=pam-operator TEAM=demo

PASSED=0 FAILED=0

# check WHAT COMMAND...: runs a command, which fails with words for what is not as it should be. A `note` ends its line.
check() {
  local what=$1 begin OUTPUT CODE
  shift
  begin=$(now)
  : >"$NODE_STATE/note"
  outcome "$@"
  if [ "$CODE" = 0 ]; then
    PASSED=$((PASSED + 1))
    printf 'ok    %s (%s s)%s\n' "$what" "$(since "$begin")" "$(cat "$NODE_STATE/note")"
  else
    FAILED=$((FAILED + 1))
    printf 'FAIL  %s (%s s)\n' "$what" "$(since "$begin")"
    tail -n 30 <<<"$OUTPUT" | sed 's/^/      /'
  fi
}

note() { printf ': %s' "$*" >"$NODE_STATE/note"; }

fail() {
  echo "$*"
  return 1
}

equal() { [ "$1" = "$2" ] || fail "it is '$1' and should be '$2'"; }

# below SECONDS LIMIT
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }' || fail "$1 s; should be less than $2 s"; }

own() { inside kubectl --namespace "$NAMESPACE" "$@"; }
team() { inside kubectl --namespace "$TEAM" "$@"; }

# By which labels the Deployment finds its pods.
selector() {
  own get deployment "$RELEASE" -o json | jq -r '.spec.selector.matchLabels | to_entries | map("\(.key)=\(.value)") | join(",")'
}

# The operator's pods that are not on their way out.
pods() {
  own get pods -l "$(selector)" -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null) | .metadata.name'
}

# The process of a pod's only container, as the cluster numbers it.
process() {
  local id
  id=$(own get pod "$1" -o 'jsonpath={.status.containerStatuses[0].containerID}')
  inside ctr -a "$CONTAINERD_SOCKET" -n k8s.io tasks list | awk -v id="${id#containerd://}" '$1 == id { print $2 }'
}

# The pod that leads.
leader() {
  local holder
  holder=$(own get lease pam-operator -o 'jsonpath={.spec.holderIdentity}')
  [ -n "$holder" ] || fail "nobody leads"
  echo "${holder%_*}"
}

another_leads_than() {
  local leads
  leads=$(leader)
  [ "$leads" != "$1" ] || fail "$1 leads"
}

# simulator PATH: what the simulated PAM shows of itself, through the API server.
simulator() {
  inside kubectl get --raw "/api/v1/namespaces/$NAMESPACE/services/https:$RELEASE-simulator:https/proxy/_simulator/$1"
}

# How often a credential was sent to the PAM.
posts() { simulator journal | jq '[.[] | select(.operation == "post")] | length'; }

posts_are() { equal "$(posts) POSTs" "$1 POSTs"; }

# The fingerprint of the password that the PAM keeps for the example.
fingerprint() { simulator credentials | jq -r '.[] | select(.identifier == "identifierjohn") | .content'; }

# set_password TEXT: changes the Secret of the example.
set_password() { team patch secret social --patch "{\"stringData\": {\"password\": \"$1\"}}" >/dev/null; }

# The PAM keeps another password than that of this fingerprint, and the object says that it is the Secret's.
rotated_from() {
  local applied
  [ "$(fingerprint)" != "$1" ] || fail "the PAM has the password of before"
  applied=$(team get pamcredential password -o json | jq -r '.status.applied.secrets[] | select(.name == "social") | .resourceVersion')
  equal "$applied" "$(team get secret social -o 'jsonpath={.metadata.resourceVersion}')"
  ready
}

ready() { team wait pamcredential/password --for=condition=Ready --timeout="${1:-1}s"; }

rolled_out() {
  own rollout status "deployment/$RELEASE" --timeout=90s
  equal "$(pods | wc -l)" 2
}

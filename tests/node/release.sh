# shellcheck shell=bash
# What helm and the node's administrators do with the release; to be sourced.

tested() { inside helm test "$RELEASE" --namespace "$NAMESPACE" --logs --timeout 90s; }

template() { own get deployment "$RELEASE" -o json | jq --sort-keys .spec.template.spec; }

upgraded() {
  local before
  before=$(template)
  inside helm upgrade "$RELEASE" "$WORKSPACE/charts/pam-operator" --namespace "$NAMESPACE" --reuse-values \
    --set operator.logLevel=debug --wait --timeout 120s
  [ "$(template)" != "$before" ] || fail "the pods are the same"
  rolled_out
}

# rolled_back TEMPLATE: that of the first revision.
rolled_back() {
  inside helm rollback "$RELEASE" 1 --namespace "$NAMESPACE" --wait --timeout 120s
  equal "$(template)" "$1"
  rolled_out
}

# Of two pods one may go; as this node is the only one, the other has to stay.
drained() {
  outcome inside kubectl drain "$NODE_NAME" --pod-selector="$(selector)" --delete-emptydir-data --timeout=15s
  [ "$CODE" != 0 ] || fail "both pods went: $OUTPUT"
  grep -q "disruption budget" <<<"$OUTPUT" || fail "$OUTPUT"
  equal "$(own get deployment "$RELEASE" -o 'jsonpath={.status.readyReplicas}')" 1
}

back_in_service() {
  inside kubectl uncordon "$NODE_NAME"
  rolled_out
}

uninstalled() {
  inside helm uninstall "$RELEASE" --namespace "$NAMESPACE" --wait --timeout 90s
  within 30 no_pod
  equal "$(inside kubectl get crds -o name | grep -c '\.pam-operator\.dev$')" 3
  equal "$(team get pamcredential password -o name)" pamcredential.pam-operator.dev/password
}

# The one of helm test has ended, and stays for its log.
no_pod() { equal "$(own get pods --field-selector status.phase!=Succeeded -o name)" ""; }

# What a user removes to leave nothing, in the words of the quickstart.
removed() {
  inside kubectl delete namespace "$TEAM" "$NAMESPACE"
  inside kubectl delete crd pamcredentials.pam-operator.dev pamconnections.pam-operator.dev clusterpamconnections.pam-operator.dev
}

# The page, command by command. At its end the simulator has the first password and the second one, and nothing else of it.
quickstart() {
  inside "$WORKSPACE/tests/quickstart.sh"
  within 20 written_twice
}

written_twice() {
  equal "$(simulator credentials | jq '.[] | select(.username == "orders") | .content_writes')" 2
}

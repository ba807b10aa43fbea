# shellcheck shell=bash
# The authority, certificates and kubeconfigs of one cluster; to be sourced.

PKI=$NODE_STATE/pki

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$PKI/$1.key"; }

# certificate NAME SUBJECT EXTENSIONS
certificate() {
  key "$1"
  openssl req -new -key "$PKI/$1.key" -subj "$2" |
    openssl x509 -req -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 2 -extfile <(printf '%s\n' "$3") -out "$PKI/$1.crt"
}

# kubeconfig NAME: of the certificate of this name.
kubeconfig() {
  encoded() { base64 -w 0 "$PKI/$1"; }
  cat >"$NODE_STATE/$1.kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: node, cluster: {server: "https://$NODE_IP:6443", certificate-authority-data: $(encoded ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(encoded "$1.crt"), client-key-data: $(encoded "$1.key")}}]
contexts: [{name: node, context: {cluster: node, user: $1}}]
current-context: node
END
}

make_certificates() {
  local client="extendedKeyUsage=clientAuth" name
  local server="extendedKeyUsage=serverAuth"
  mkdir -p "$PKI"
  chmod 700 "$PKI"
  key ca
  openssl req -x509 -new -key "$PKI/ca.key" -days 2 -subj /CN=node-authority -out "$PKI/ca.crt"
  certificate apiserver /CN=kube-apiserver "$server
subjectAltName=IP:127.0.0.1,IP:$NODE_IP,IP:$API_SERVICE,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  certificate kubelet-server "/O=system:nodes/CN=system:node:$NODE_NAME" "$server
subjectAltName=IP:$NODE_IP,DNS:$NODE_NAME"
  certificate apiserver-kubelet /O=system:masters/CN=apiserver-kubelet "$client"
  certificate admin /O=system:masters/CN=admin "$client"
  certificate kubelet "/O=system:nodes/CN=system:node:$NODE_NAME" "$client"
  certificate controller-manager /CN=system:kube-controller-manager "$client"
  certificate scheduler /CN=system:kube-scheduler "$client"
  certificate proxy /CN=system:kube-proxy "$client"
  openssl genrsa -out "$PKI/serviceaccounts.key" 2048
  openssl rsa -in "$PKI/serviceaccounts.key" -pubout -out "$PKI/serviceaccounts.pub"
  for name in admin kubelet controller-manager scheduler proxy; do
    (umask 077 && kubeconfig $name)
  done
}

{{/* What the operator is allowed to do, by place: the chart's tests hold it against the operator's own list. */}}

{{- define "pam-operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "pam-operator.serviceAccountName" . }}
  namespace: {{ include "pam-operator.namespace" . }}
{{- end -}}

{{/* In the namespaces that it works for. */}}
{{- define "pam-operator.watchedRules" -}}
# "patch" is for the finalizer alone, which exists only with deletionPolicy Deactivate.
- apiGroups: [pam-operator.dev]
  resources: [pamcredentials]
  verbs: [get, list, watch, patch]
- apiGroups: [pam-operator.dev]
  resources: [pamconnections]
  verbs: [list, watch]
- apiGroups: [pam-operator.dev]
  resources: [pamcredentials/status, pamconnections/status]
  verbs: [patch]
- apiGroups: [pam-operator.dev]
  resources: [pamcredentials/finalizers]
  verbs: [update]
{{ include "pam-operator.eventRules" . }}
{{- end -}}

{{- define "pam-operator.eventRules" -}}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* Passwords, clients of the PAM and certificates are referenced by name, of which no role can know the list. They are
watched by their metadata alone, and read when something refers to them. */}}
{{- define "pam-operator.secretRules" -}}
- apiGroups: [""]
  resources: [secrets, configmaps]
  verbs: [get, list, watch]
{{- end -}}

{{/* In its own namespace. What does not exist yet has no name by which a role could know it. */}}
{{- define "pam-operator.ownRules" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [pam-operator-installation]
  verbs: [patch]
{{- if .Values.leaderElection.enabled }}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ .Values.leaderElection.leaseName }}]
  verbs: [get, patch]
{{- end }}
{{- end -}}

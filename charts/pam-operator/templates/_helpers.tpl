{{/* The chart's name, or what replaces it. */}}
{{- define "pam-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of the release's objects, cut so that no suffix makes it longer than 63 characters. */}}
{{- define "pam-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 46 | trimSuffix "-" -}}
{{- else if contains (include "pam-operator.name" .) .Release.Name -}}
{{- .Release.Name | trunc 46 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "pam-operator.name" .) | trunc 46 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The name of an object of the cluster: with the namespace, so that two installations never share it. */}}
{{- define "pam-operator.clusterName" -}}
{{- $fullname := include "pam-operator.fullname" . -}}
{{- $namespace := include "pam-operator.namespace" . -}}
{{- if eq $fullname $namespace -}}
{{- $fullname -}}
{{- else -}}
{{- printf "%s-%s" $namespace $fullname -}}
{{- end -}}
{{- end -}}

{{- define "pam-operator.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "pam-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "pam-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Labels of an object of a component, from (list . component); without a component, of every object. The chart's own go
before commonLabels, and none is written twice. */}}
{{- define "pam-operator.labelsOf" -}}
{{- $context := index . 0 -}}
{{- $labels := dict "helm.sh/chart" (printf "%s-%s" $context.Chart.Name $context.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- $_ := set $labels "app.kubernetes.io/version" $context.Chart.AppVersion -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $context.Release.Service -}}
{{- $_ := set $labels "app.kubernetes.io/part-of" "pam-operator" -}}
{{- if gt (len .) 1 -}}
{{- $labels = merge $labels (include "pam-operator.componentLabels" . | fromYaml) -}}
{{- end -}}
{{- toYaml (merge $labels $context.Values.commonLabels) -}}
{{- end -}}

{{- define "pam-operator.labels" -}}
{{ include "pam-operator.labelsOf" (list .) }}
{{- end -}}

{{- define "pam-operator.operatorLabels" -}}
{{ include "pam-operator.labelsOf" (list . "operator") }}
{{- end -}}

{{- define "pam-operator.simulatorLabels" -}}
{{ include "pam-operator.labelsOf" (list . "simulator") }}
{{- end -}}

{{/* Labels that select the pods of one component, from (list . component). They never change, since a Deployment's
selector cannot. */}}
{{- define "pam-operator.componentLabels" -}}
{{- $context := index . 0 -}}
app.kubernetes.io/name: {{ include "pam-operator.name" $context }}
app.kubernetes.io/instance: {{ $context.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "pam-operator.selectorLabels" -}}
{{ include "pam-operator.componentLabels" (list . "operator") }}
{{- end -}}

{{- define "pam-operator.simulatorSelectorLabels" -}}
{{ include "pam-operator.componentLabels" (list . "simulator") }}
{{- end -}}

{{/* Annotations of an object: its own and everybody's, from (list . own). */}}
{{- define "pam-operator.annotations" -}}
{{- $context := index . 0 -}}
{{- $own := index . 1 | default dict -}}
{{- with merge (dict) $own $context.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "pam-operator.image" -}}
{{- $registry := (.Values.global).imageRegistry | default .Values.image.registry | default "" -}}
{{- $name := ternary (printf "%s/%s" $registry .Values.image.repository) .Values.image.repository (ne $registry "") -}}
{{- $tag := .Values.image.tag | default (ternary "" .Chart.AppVersion (ne .Values.image.digest "")) -}}
{{- $name -}}{{- with $tag -}}:{{ . }}{{- end -}}{{- with .Values.image.digest -}}@{{ . }}{{- end -}}
{{- end -}}

{{- define "pam-operator.imagePullSecrets" -}}
{{- with concat ((.Values.global).imagePullSecrets | default list) (.Values.imagePullSecrets | default list) }}
imagePullSecrets:
  {{- range . }}
  {{- if kindIs "string" . }}
  - name: {{ . }}
  {{- else }}
  - {{ toYaml . | nindent 4 | trim }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Where a pod finds the API server's certificate and a token of its own that expires. */}}
{{- define "pam-operator.tokenVolume" -}}
- name: token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3607
      - configMap:
          name: kube-root-ca.crt
          items: [{key: ca.crt, path: ca.crt}]
      - downwardAPI:
          items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]
{{- end -}}

{{- define "pam-operator.tokenMount" -}}
- name: token
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end -}}

{{/* The simulator's data, and the first of their clients, by which the connection is known to it. */}}
{{- define "pam-operator.simulatorData" -}}
{{- .Values.simulator.data | default (.Files.Get "files/simulator.yaml") -}}
{{- end -}}

{{/* The name of the simulator's objects, and the host by which the operator reaches it. */}}
{{- define "pam-operator.simulatorName" -}}
{{- printf "%s-simulator" (include "pam-operator.fullname" .) -}}
{{- end -}}

{{- define "pam-operator.simulatorHost" -}}
{{- printf "%s.%s.svc" (include "pam-operator.simulatorName" .) (include "pam-operator.namespace" .) -}}
{{- end -}}

{{/* Hosts that connections may name: the simulator's belongs to them. */}}
{{- define "pam-operator.allowedHosts" -}}
{{- $hosts := .Values.operator.allowedHosts -}}
{{- if and $hosts .Values.simulator.enabled -}}
{{- $hosts = append $hosts (include "pam-operator.simulatorHost" .) -}}
{{- end -}}
{{- join "," $hosts -}}
{{- end -}}

{{/* What the values must not say. */}}
{{- define "pam-operator.check" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "replicaCount is more than 1 without leaderElection.enabled: every replica would write to the PAM. Enable it, or set replicaCount to 1" -}}
{{- end -}}
{{- if and (eq .Values.scope.mode "namespaces") (not .Values.scope.namespaces) -}}
{{- fail "scope.mode is namespaces, but scope.namespaces is empty: list the namespaces that the operator shall work for" -}}
{{- end -}}
{{- if and (eq .Values.scope.mode "cluster") .Values.scope.namespaces -}}
{{- fail "scope.namespaces is only for scope.mode namespaces: set that, or leave the list empty" -}}
{{- end -}}
{{- if and .Values.podDisruptionBudget.enabled (gt (int .Values.replicaCount) 1) -}}
{{- $least := toString (.Values.podDisruptionBudget.minAvailable | default "") -}}
{{- $most := toString .Values.podDisruptionBudget.maxUnavailable -}}
{{- if and $least (or (eq $least "100%") (and (not (hasSuffix "%" $least)) (ge (int $least) (int .Values.replicaCount)))) -}}
{{- fail "podDisruptionBudget.minAvailable must be less than replicaCount, or no node with such a pod can be drained" -}}
{{- end -}}
{{- if and (not $least) (has $most (list "0" "0%" "")) -}}
{{- fail "podDisruptionBudget.maxUnavailable must be more than 0, or no node with such a pod can be drained" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.pamEgress) (not .Values.simulator.enabled) -}}
{{- fail "networkPolicy.enabled needs networkPolicy.pamEgress: without a rule to the PAM the operator could reach none" -}}
{{- end -}}
{{- if and .Values.simulator.enabled (not .Values.simulator.allowedNamespaces) -}}
{{- fail "simulator.enabled needs simulator.allowedNamespaces: list the namespaces that may use it" -}}
{{- end -}}
{{- if and .Values.simulator.enabled (not (include "pam-operator.simulatorData" . | fromYaml).clients) -}}
{{- fail "simulator.data has no clients: the operator needs the first of them, with id and secret" -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled -}}
{{- fail "metrics.serviceMonitor and metrics.podMonitor would scrape every pod twice: enable one of them" -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.service.enabled) -}}
{{- fail "metrics.serviceMonitor needs metrics.service.enabled" -}}
{{- end -}}
{{- end -}}

{{/* Labels of everything, and of one part. */}}
{{- define "quiver.labels" -}}
app.kubernetes.io/name: quiver
app.kubernetes.io/component: {{ .part }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "quiver.selector" -}}
app.kubernetes.io/name: quiver
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "quiver.metadata" -}}
name: quiver-{{ .part }}
namespace: {{ .root.Release.Namespace }}
labels: {{- include "quiver.labels" . | nindent 2 }}
{{- end }}

{{/* Labels and annotations of the pods of one part. Another revision of the Secret starts them anew. */}}
{{- define "quiver.podMetadata" -}}
labels: {{- merge (include "quiver.selector" . | fromYaml) .root.Values.pods.labels | toYaml | nindent 2 }}
{{- $revision := ternary "" .root.Values.secret.revision (hasKey . "withoutSecret") }}
{{- with merge (ternary (dict "quiver.dev/secret-revision" $revision) dict (ne $revision "")) .root.Values.pods.annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "quiver.image" -}}
{{- $image := .root.Values.image }}
{{- $name := printf "%s/%s" $image.repository .image }}
{{- $digest := index $image.digests .image }}
{{- $version := ternary (printf "@%s" $digest) (printf ":%s" ($image.tag | default .root.Chart.AppVersion)) (not (empty $digest)) }}
{{- include "quiver.mirrored" (dict "root" .root "name" (print $name $version)) }}
{{- end }}

{{/* An image from the mirror, unless its name begins with a registry's host. */}}
{{- define "quiver.mirrored" -}}
{{- $host := first (splitList "/" .name) }}
{{- $has := and (contains "/" .name) (or (contains "." $host) (contains ":" $host) (eq $host "localhost")) }}
{{- if or $has (not .root.Values.image.registry) }}{{ .name }}{{ else }}{{ printf "%s/%s" .root.Values.image.registry .name }}{{ end }}
{{- end }}

{{/* What every pod of ours has: no rights, no token unless it says so, and where it may run. */}}
{{- define "quiver.pod" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- if not .root.Values.openshift }}
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.pods.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
topologySpreadConstraints:
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- topologyKey: {{ . }}
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "quiver.selector" $ | nindent 6 }}
{{- end }}
{{- end }}

{{- define "quiver.container" -}}
name: {{ .part }}
image: {{ include "quiver.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- with (index .root.Values .part).resources }}
resources: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "quiver.secret" -}}
{{ .Values.secret.existing | default "quiver-internal" | quote }}
{{- end }}

{{/* An environment variable out of the Secret that the parts know each other by. */}}
{{- define "quiver.known" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef: {name: {{ include "quiver.secret" .root }}, key: {{ .key }}}
{{- end }}

{{/* Variables of every part: how it writes its log, and those of the platform team. */}}
{{- define "quiver.commonEnv" -}}
- {name: QUIVER_LOG_LEVEL, value: {{ .Values.logs.level }}}
- {name: QUIVER_LOG_FORMAT, value: {{ .Values.logs.format }}}
{{- range $name, $value := .Values.pods.env }}
{{- if hasPrefix "QUIVER_" $name }}
{{- fail (printf "pods.env: %s is set by the chart; use the value that belongs to it" $name) }}
{{- end }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{/* What agents are told of where adapters may come from, as variables without QUIVER_AGENT_. */}}
{{- define "quiver.agentSettings" -}}
MAX_BYTES: {{ .Values.agent.maxBytes | int64 | quote }}
FETCH_TIMEOUT_S: {{ .Values.agent.timeoutSeconds | quote }}
{{- with .Values.agent.privateHosts }}
PRIVATE_HOSTS: {{ toJson . | quote }}
{{- end }}
{{- with .Values.agent.proxy }}
PROXY: {{ . | quote }}
{{- end }}
{{- with .Values.agent.identityBuckets }}
IDENTITY_BUCKETS: {{ toJson . | quote }}
{{- end }}
{{- with .Values.agent.hubEndpoint }}
HF_ENDPOINT: {{ . | quote }}
{{- end }}
{{- end }}

{{/* The keys of the Secret, one for each pair of parts. */}}
{{- define "quiver.pairs" -}}
operator-agent operator-gateway operator-ingest operator-drift gateway-retrieval gateway-ingest gateway-drift engine-api-key management-gateway console-management console-metrics platform-key
{{- end }}

{{- define "quiver.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "quiver.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  # A pod that is not ready serves nobody: it does not hold up the drain of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "quiver.selector" . | nindent 6 }}
{{- end }}

{{- define "quiver.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "quiver.metadata" . | nindent 2 }}
  annotations: {helm.sh/resource-policy: keep}
spec:
  accessModes: [{{ .storage.accessMode | default "ReadWriteOnce" }}]
  {{- with .storage.className }}
  storageClassName: {{ . | quote }}
  {{- end }}
  resources:
    requests: {storage: {{ .storage.size }}}
{{- end }}

{{/* The embedder of a part: prefix of the settings. */}}
{{- define "quiver.embedderEnv" -}}
- {name: {{ .prefix }}_EMBEDDER, value: {{ .root.Values.retrieval.embedder | quote }}}
{{- if hasPrefix "http" .root.Values.retrieval.embedder }}
{{- with .root.Values.retrieval.embedderServer }}
- {name: {{ $.prefix }}_EMBEDDER_MODEL, value: {{ .model | quote }}}
- {name: {{ $.prefix }}_EMBEDDER_MAX_TOKENS, value: {{ .maxTokens | quote }}}
- {name: {{ $.prefix }}_EMBEDDER_QUERY_PREFIX, value: {{ .queryPrefix | quote }}}
- {name: {{ $.prefix }}_EMBEDDER_PASSAGE_PREFIX, value: {{ .passagePrefix | quote }}}
{{- with .tokenSecret }}
- name: {{ $.prefix }}_EMBEDDER_TOKEN
  valueFrom:
    secretKeyRef: {name: {{ . }}, key: token}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The address of Milvus, and how a part proves itself to it: prefix of the settings, secret with the token. */}}
{{- define "quiver.milvusEnv" -}}
- {name: {{ .prefix }}_MILVUS_URI, value: {{ include "quiver.milvus" .root | quote }}}
- {name: {{ .prefix }}_MILVUS_TENANCY, value: {{ .root.Values.milvus.tenancy | quote }}}
{{- with .secret }}
- name: {{ $.prefix }}_MILVUS_TOKEN
  valueFrom:
    secretKeyRef: {name: {{ . }}, key: token}
{{- end }}
{{- if .root.Values.milvus.caSecret }}
{{- if not (hasPrefix "https://" .root.Values.milvus.uri) }}
{{- fail "milvus.caSecret needs a milvus.uri that begins with https://" }}
{{- end }}
- {name: {{ .prefix }}_MILVUS_CA, value: /etc/milvus/ca.crt}
{{- end }}
{{- end }}

{{- define "quiver.milvus" -}}
{{ .Values.milvus.uri | default "http://quiver-milvus:19530" }}
{{- end }}

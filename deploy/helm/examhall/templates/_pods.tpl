{{- define "examhall.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .uid }}
runAsGroup: {{ .uid }}
fsGroup: {{ .uid }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "examhall.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What pods of every kind share: root, uid, identity, component, serviceAccountName. */}}
{{- define "examhall.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
serviceAccountName: {{ .serviceAccountName | default "default" }}
securityContext: {{- include "examhall.podSecurity" . | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "examhall.podLabels" -}}
{{ include "examhall.selector" .root }}
app.kubernetes.io/component: {{ .component }}
examhall.internal/identity: {{ .identity }}
{{- end }}

{{/* env entries of a dict of plain values */}}
{{- define "examhall.plainEnv" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "examhall.secretEnv" -}}
- name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key | default .name }}}}
{{- end }}

{{/* Variables that all processes have. */}}
{{- define "examhall.commonEnv" -}}
{{- $env := dict "OPS_BIND" "0.0.0.0:9090" "LOG_LEVEL" .Values.logLevel -}}
{{- with .Values.tracing.endpoint -}}
{{- $_ := set $env "OTEL_EXPORTER_OTLP_ENDPOINT" . -}}
{{- $_ := set $env "OTEL_TRACES_SAMPLER_ARG" ($.Values.tracing.ratio | toString) -}}
{{- end -}}
{{- range $name, $_ := .Values.services -}}
{{- $_ := set $env (printf "%s_TARGET" ($name | upper | replace "-" "_")) (printf "%s-%s:50051" (include "examhall.fullname" $) $name) -}}
{{- end -}}
{{- toJson $env -}}
{{- end }}

{{/* One Deployment: root, name, component, identity, service (its image), args, env (YAML), envFrom, ports, tls (a
list of dicts name, identity), replicas (null: an autoscaler's), resources, init (YAML), preStop, files,
serviceAccountName. */}}
{{- define "examhall.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  labels: {{- include "examhall.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- if not (kindIs "invalid" .replicas) }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  # Until its clients have found it: names are looked up every 5 s, lost connections tried again within 5 s.
  minReadySeconds: 15
  selector:
    matchLabels: {{- include "examhall.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      labels: {{- include "examhall.podLabels" . | nindent 8 }}
      annotations:
        checksum/settings: {{ list .root.Values.database .root.Values.rabbitmq .root.Values.tls.mode | toJson | sha256sum | trunc 16 | quote }}
        {{- if eq .root.Values.tls.mode "generated" }}
        examhall.internal/certificate-until: {{ include "examhall.renewAfter" (dict "root" .root "identity" .identity) | quote }}
        {{- end }}
    spec: {{- include "examhall.podSpec" . | nindent 6 }}
      terminationGracePeriodSeconds: 60
      topologySpreadConstraints:
        {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ $key }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "examhall.selector" $.root | nindent 14 }}
              app.kubernetes.io/component: {{ $.component }}
        {{- end }}
      {{- with .init }}
      initContainers: {{- . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "examhall.image" . }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: {{ toJson .args }}
          env: {{- .env | nindent 12 }}
          {{- with .envFrom }}
          envFrom: [{secretRef: {name: {{ . }}}}]
          {{- end }}
          ports: {{- toYaml .ports | nindent 12 }}
          startupProbe: {httpGet: {path: /healthz, port: ops}, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 60}
          readinessProbe: {httpGet: {path: /readyz, port: ops}, periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 2}
          livenessProbe: {httpGet: {path: /healthz, port: ops}, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6}
          {{- if .preStop }}
          # New calls go elsewhere once the name is resolved anew: time for DNS to forget this pod before it says goodbye.
          lifecycle: {preStop: {exec: {command: [sleep, "{{ .preStop }}"]}}}
          {{- end }}
          resources: {{- toYaml .resources | nindent 12 }}
          securityContext: {{- include "examhall.containerSecurity" . | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- range .tls }}
            - {name: {{ .name }}, mountPath: /tls/{{ .identity }}, readOnly: true}
            {{- end }}
            {{- if .files }}
            - {name: files, mountPath: /files}
            {{- end }}
      volumes:
        - {name: tmp, emptyDir: {sizeLimit: 256Mi}}
        {{- range .tls }}
        - {name: {{ .name }}, secret: {secretName: {{ include "examhall.fullname" $.root }}-tls-{{ .identity }}, defaultMode: 0440}}
        {{- end }}
        {{- if .files }}
        - {name: files, persistentVolumeClaim: {claimName: {{ include "examhall.fullname" .root }}-files}}
        {{- end }}
{{- end }}

{{/* A budget, and with autoscaling a HorizontalPodAutoscaler, for a Deployment: root, name, component, autoscaling. */}}
{{- define "examhall.scaling" -}}
{{- if .root.Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  labels: {{- include "examhall.labels" .root | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "examhall.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- if .autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .name }}
  labels: {{- include "examhall.labels" .root | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .name }}}
  minReplicas: {{ .autoscaling.minReplicas }}
  maxReplicas: {{ .autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ .autoscaling.cpu }}}}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 600, policies: [{type: Pods, value: 1, periodSeconds: 60}]}
{{- end }}
{{- end }}

{{- define "examhall.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "examhall.selector" -}}
app.kubernetes.io/name: examhall
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "examhall.labels" -}}
{{ include "examhall.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "examhall.image" -}}
{{ .root.Values.image.repository }}/{{ .service }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* A service's entry with the defaults under it, as JSON. */}}
{{- define "examhall.service" -}}
{{- $own := get .root.Values.services .name | default dict -}}
{{- mergeOverwrite (deepCopy .root.Values.serviceDefaults) (deepCopy $own) | toJson -}}
{{- end }}

{{/* The gateway's deployments, as JSON: those of the values, and in a trial one that serves everything. */}}
{{- define "examhall.surfaces" -}}
{{- $all := dict -}}
{{- range $name, $own := .Values.gateway.surfaces -}}
{{- $_ := set $all $name (mergeOverwrite (deepCopy $.Values.gateway.defaults) (deepCopy $own) (dict "serves" (list $name) "identity" (printf "gateway-%s" $name))) -}}
{{- end -}}
{{- if .Values.dev.enabled -}}
{{- $_ := set $all "trial" (mergeOverwrite (deepCopy .Values.gateway.defaults) (dict "serves" (list "student" "staff") "identity" "gateway-staff")) -}}
{{- end -}}
{{- toJson $all -}}
{{- end }}

{{- define "examhall.identities" -}}
{{- $all := list "operator" -}}
{{- range $name, $_ := .Values.services }}{{ $all = append $all $name }}{{ end -}}
{{- range $name, $_ := .Values.gateway.surfaces }}{{ $all = append $all (printf "gateway-%s" $name) }}{{ end -}}
{{- toJson ($all | sortAlpha) -}}
{{- end }}

{{- define "examhall.databaseHost" -}}
{{- if .Values.dev.enabled }}{{ include "examhall.fullname" . }}-postgres
{{- else if .Values.cloudnativepg.enabled }}{{ include "examhall.fullname" . }}-db-rw
{{- else }}{{ .Values.database.host }}{{ end -}}
{{- end }}

{{- define "examhall.rabbitmqHost" -}}
{{- if or .Values.dev.enabled .Values.rabbitmqCluster.enabled }}{{ include "examhall.fullname" . }}-rabbitmq
{{- else }}{{ .Values.rabbitmq.host }}{{ end -}}
{{- end }}

{{/* postgresql://… of a role: root, role, password */}}
{{- define "examhall.databaseUrl" -}}
{{- $d := .root.Values.database -}}
postgresql://{{ .role }}:{{ .password }}@{{ include "examhall.databaseHost" .root }}:{{ $d.port }}/{{ $d.name }}{{ with $d.options }}?{{ . }}{{ end }}
{{- end }}

{{- define "examhall.rabbitmqUrl" -}}
{{- $r := .root.Values.rabbitmq -}}
{{ ternary "amqps" "amqp" $r.tls }}://{{ .user }}:{{ .password }}@{{ include "examhall.rabbitmqHost" .root }}:{{ $r.port }}/{{ $r.vhost }}
{{- end }}

{{/* A Secret of the namespace as it is now, as JSON; {} where there is none, or no cluster (helm template). */}}
{{- define "examhall.existing" -}}
{{- lookup "v1" "Secret" .root.Release.Namespace .name | default dict | toJson -}}
{{- end }}

{{- /* Names and labels. What is called $.role here is a role of the platform or a job: edge, streams, lake-writer, worker, cdc, migrate, topics, doctor. */ -}}

{{- define "streamforge.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "streamforge.selector" -}}
app.kubernetes.io/name: streamforge
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{- define "streamforge.labels" -}}
{{ include "streamforge.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: streamforge
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* Of what belongs to no role alone. */ -}}
{{- define "streamforge.commonLabels" -}}
{{ include "streamforge.labels" (dict "root" . "role" "platform") }}
{{- end -}}

{{- define "streamforge.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The Secret that a role reads: the one External Secrets makes for it, its own, or everybody's. The doctor sends and reads with what the edge knows. */ -}}
{{- define "streamforge.secretName" -}}
{{- $role := eq .role "doctor" | ternary "edge" .role -}}
{{- $own := (index .root.Values.roles $role | default (index .root.Values.jobs $role | default dict)).secretName -}}
{{- if .root.Values.externalSecrets.enabled -}}
{{ include "streamforge.fullname" .root }}-{{ $role }}
{{- else -}}
{{ $own | default .root.Values.secrets.name }}
{{- end -}}
{{- end -}}

{{- /* The roles that run, as a list in YAML. */ -}}
{{- define "streamforge.roles" -}}
{{- $roles := list -}}
{{- range $role, $its := .Values.roles }}{{ if $its.enabled }}{{ $roles = append $roles $role }}{{ end }}{{ end -}}
{{ $roles | toYaml }}
{{- end -}}

{{- define "streamforge.jobs" -}}
{{- $jobs := list -}}
{{- range $job := list "migrate" "topics" }}{{ if (index $.Values.jobs $job).enabled }}{{ $jobs = append $jobs $job }}{{ end }}{{ end -}}
{{ $jobs | toYaml }}
{{- end -}}

{{- /* Where a role's metrics are: the edge's on its own port. */ -}}
{{- define "streamforge.port" -}}
{{ if eq . "edge" }}8080{{ else }}9464{{ end }}
{{- end -}}

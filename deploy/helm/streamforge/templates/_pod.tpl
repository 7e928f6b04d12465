{{- /* What all pods here have in common: as little as can be. They speak to no Kubernetes API, so no token is mounted; nothing is written but to /data and /tmp. */ -}}
{{- define "streamforge.podSettings" -}}
{{- $values := .root.Values -}}
serviceAccountName: {{ include "streamforge.fullname" .root }}-{{ .role }}
automountServiceAccountToken: false
# Variables such as STREAMFORGE_PORT=tcp://…, made from Services, would be taken for settings.
enableServiceLinks: false
{{- with $values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $values.user }}
  runAsGroup: {{ $values.user }}
  fsGroup: {{ $values.user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "streamforge.container" -}}
{{- $values := .root.Values -}}
{{- $secret := include "streamforge.secretName" . -}}
name: {{ .role }}
image: {{ include "streamforge.image" .root | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- $secrets := (include "streamforge.secretVariables" . | fromYaml).names }}
{{- /* What has no ConfigMap, as that would have to be there before it. */}}
{{- $inline := .inline | default dict }}
{{- if or $secrets $inline }}
env:
{{- range $secrets }}
  - name: {{ . }}
    valueFrom: { secretKeyRef: { name: {{ $secret }}, key: {{ . }} } }
{{- end }}
{{- range $name, $value := $inline }}
  - { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}
volumeMounts:
  - { name: data, mountPath: /data }
  - { name: tmp, mountPath: /tmp }
{{- if $values.certificates.configMap }}
  - { name: certificates, mountPath: /certificates, readOnly: true }
{{- end }}
{{- if include "streamforge.hasForeignTopics" . }}
  - { name: config, mountPath: /config, readOnly: true }
{{- end }}
{{- end -}}

{{- /* For jobs: their settings stand in the pod itself. */ -}}
{{- define "streamforge.containerWithSettings" -}}
{{- include "streamforge.container" (dict "root" .root "role" .role "inline" (include "streamforge.settings" . | fromYaml)) -}}
{{- end -}}

{{- define "streamforge.volumes" -}}
{{- $values := .root.Values -}}
{{- $scratch := (index $values.roles .role | default dict).scratch | default (dict "size" "64Mi" "storageClassName" "") -}}
- name: data
{{- if $scratch.storageClassName }}
  ephemeral:
    volumeClaimTemplate:
      spec:
        accessModes: [ReadWriteOnce]
        storageClassName: {{ $scratch.storageClassName }}
        resources: { requests: { storage: {{ $scratch.size }} } }
{{- else }}
  emptyDir: { sizeLimit: {{ $scratch.size }} }
{{- end }}
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
{{- with $values.certificates.configMap }}
- name: certificates
  configMap: { name: {{ . }} }
{{- end }}
{{- if include "streamforge.hasForeignTopics" . }}
- name: config
  configMap: { name: {{ $values.foreignTopics.configMap }} }
{{- end }}
{{- end -}}

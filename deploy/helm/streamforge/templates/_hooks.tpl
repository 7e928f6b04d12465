{{- /*
Jobs run before anything of the release is there, so what they need (account, network policy, Secret) is a hook as well, and comes before them: -20, then migrate -10, then topics -5.
*/ -}}
{{- define "streamforge.hookBefore" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: "-20"
helm.sh/hook-delete-policy: before-hook-creation
{{- end -}}

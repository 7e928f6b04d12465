{{- /* Of streams and edge: whether something else says how many there are. Empty means no. */ -}}
{{- define "streamforge.isScaled" -}}
{{- with .root.Values.autoscaling -}}
{{- if or (and (eq $.role "edge") .edge.enabled) (and (eq $.role "streams") (ne .streams.by "none")) -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{- /* What values.schema.json can't see, since it lies between values; all of it is told at once. */ -}}
{{- define "streamforge.checks" -}}
{{- $wrong := list -}}
{{- $needs := include "streamforge.needs" . | fromYaml -}}
{{- $running := concat (include "streamforge.roles" . | fromYamlArray) (include "streamforge.jobs" . | fromYamlArray) -}}
{{- $examples := dict "KAFKA_BROKERS" "kafka-1.example:9092" "STREAMFORGE_OBJECTS_URL" "s3://bucket/prefix" "TEMPORAL_ADDRESS" "temporal.example:7233" "BIGQUERY_DATASET" "my-project.lake" "BIGQUERY_CONNECTION" "my-project.eu.lake" -}}
{{- range $name, $example := $examples -}}
{{- $lacking := list -}}
{{- range $role := $running -}}
{{- $has := hasKey (include "streamforge.settings" (dict "root" $ "role" $role) | fromYaml) $name -}}
{{- if and (has $name (index $needs $role).settings) (not $has) }}{{ $lacking = append $lacking $role }}{{ end -}}
{{- end -}}
{{- with $lacking }}{{ $wrong = append $wrong (printf "settings.%s is needed by %s, e.g. %s." $name (join ", " .) $example) }}{{ end -}}
{{- end -}}
{{- if .Values.networkPolicy.enabled -}}
{{- range $server, $its := .Values.networkPolicy.dependencies -}}
{{- $lacking := list -}}
{{- if and (not $its.to) (or (ne $server "telemetry") $.Values.telemetry.endpoint) -}}
{{- range $role := $running -}}
{{- if has $server (index $needs $role).servers }}{{ $lacking = append $lacking $role }}{{ end -}}
{{- end -}}
{{- end -}}
{{- with $lacking }}{{ $wrong = append $wrong (printf "networkPolicy.dependencies.%s.to must say where %s may reach it, e.g. [{ipBlock: {cidr: 10.1.0.0/16}}]." $server (join ", " .)) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- with .Values.image -}}
{{- if and (eq .tag "latest") (not .digest) }}{{ $wrong = append $wrong "image.tag=latest says not what runs: name a version, or a digest." }}{{ end -}}
{{- end -}}
{{- range tuple "0.0.0.0/0" "::/0" -}}
{{- if contains (printf "%q" .) ($.Values.networkPolicy | toJson) }}{{ $wrong = append $wrong (printf "networkPolicy names %s, which is everybody: name the networks that are meant." .) }}{{ end -}}
{{- end -}}
{{- with .Values.ingress -}}
{{- if and .enabled (not .host) }}{{ $wrong = append $wrong "ingress.host is needed where ingress.enabled is true, e.g. events.example.com." }}{{ end -}}
{{- if and .enabled (not .tlsSecretName) (not .managedCertificate) }}{{ $wrong = append $wrong "ingress.tlsSecretName is needed: the edge is not served without TLS. Where a certificate comes by an annotation, set ingress.managedCertificate=true." }}{{ end -}}
{{- end -}}
{{- with .Values.gateway -}}
{{- if and .enabled (or (not .host) (not .parentRefs)) }}{{ $wrong = append $wrong "gateway.host and gateway.parentRefs are needed where gateway.enabled is true." }}{{ end -}}
{{- end -}}
{{- with .Values.externalSecrets -}}
{{- if and .enabled (not .store.name) -}}
{{- range $name := list "project" "clusterLocation" "clusterName" "serviceAccount" -}}
{{- if not (index $.Values.externalSecrets.google $name) }}{{ $wrong = append $wrong (printf "externalSecrets.google.%s is needed to make a store; or name one in externalSecrets.store.name." $name) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $role := list "edge" "streams" -}}
{{- with index $.Values.autoscaling $role -}}
{{- if gt (int .minReplicas) (int .maxReplicas) }}{{ $wrong = append $wrong (printf "autoscaling.%s.minReplicas is above its maxReplicas." $role) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if hasKey .Values.roles.cdc "replicas" }}{{ $wrong = append $wrong "roles.cdc.replicas can't be set: a replication slot has one reader." }}{{ end -}}
{{- if and .Values.monitoring.rules.enabled (not (.Files.Glob "rules/*.yml")) }}{{ $wrong = append $wrong "monitoring.rules.enabled is true, and this copy of the chart has no rules: its link to observability/prometheus/rules was lost on the way. Put these files into rules/, or get the chart by git or as a package." }}{{ end -}}
{{- if $wrong }}{{ fail (printf "\n\nThe values have %s:\n- %s\n" (eq (len $wrong) 1 | ternary "a problem" (printf "%d problems" (len $wrong))) (join "\n- " $wrong)) }}{{ end -}}
{{- end -}}

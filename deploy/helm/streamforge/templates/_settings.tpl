{{- /*
What each role reads: the settings, the secrets, and the servers that it talks to. The one table from which environment, secrets and network policies follow, so that a role has nothing that it does not need.
*/ -}}
{{- define "streamforge.needs" -}}
edge:
  settings: [KAFKA_BROKERS, KAFKA_TLS, KAFKA_SASL_MECHANISM, KAFKA_COMPRESSION, REDIS_CLUSTER, STREAMFORGE_OBJECTS_URL, S3_ENDPOINT, AWS_REGION, STREAMFORGE_CURRENCY, STREAMFORGE_CORS_ORIGINS, STREAMFORGE_TRACE_URL, STREAMFORGE_LOG_LEVEL]
  secrets: [DATABASE_URL, REDIS_URL, SCHEMA_REGISTRY_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, STREAMFORGE_WRITE_KEY, STREAMFORGE_JWT_SECRET, STREAMFORGE_ADMIN_PASSWORD]
  servers: [kafka, postgresql, redis, schemaRegistry, objects, telemetry]
streams:
  settings: [KAFKA_BROKERS, KAFKA_TLS, KAFKA_SASL_MECHANISM, KAFKA_COMPRESSION, KAFKA_SESSION_TIMEOUT_MS, REDIS_CLUSTER, STREAMFORGE_OBJECTS_URL, S3_ENDPOINT, AWS_REGION, STREAMFORGE_CURRENCY, STREAMFORGE_LOG_LEVEL]
  secrets: [DATABASE_URL, REDIS_URL, SCHEMA_REGISTRY_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]
  servers: [kafka, postgresql, redis, schemaRegistry, objects, telemetry]
lake-writer:
  settings: [KAFKA_BROKERS, KAFKA_TLS, KAFKA_SASL_MECHANISM, KAFKA_SESSION_TIMEOUT_MS, STREAMFORGE_OBJECTS_URL, S3_ENDPOINT, AWS_REGION, STREAMFORGE_CURRENCY, STREAMFORGE_LAKE_COMMIT_SECONDS, STREAMFORGE_LAKE_COMMIT_MB, STREAMFORGE_LOG_LEVEL]
  secrets: [DATABASE_URL, SCHEMA_REGISTRY_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]
  servers: [kafka, postgresql, schemaRegistry, objects, telemetry]
worker:
  settings: [TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_TASK_QUEUE, TEMPORAL_UI_URL, KAFKA_BROKERS, KAFKA_TLS, KAFKA_SASL_MECHANISM, KAFKA_COMPRESSION, STREAMFORGE_OBJECTS_URL, S3_ENDPOINT, AWS_REGION, STREAMFORGE_CURRENCY, STREAMFORGE_WORKER_MEMORY_MB, STREAMFORGE_LOG_LEVEL{{ if .Values.warehouse.enabled }}, WAREHOUSE_SCHEMA{{ end }}{{ if .Values.bigquery.enabled }}, BIGQUERY_DATASET, BIGQUERY_CONNECTION, BIGQUERY_ENDPOINT{{ end }}]
  secrets: [DATABASE_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY{{ if .Values.trino.enabled }}, TRINO_URL{{ end }}{{ if .Values.warehouse.enabled }}, WAREHOUSE_URL{{ end }}]
  servers: [kafka, postgresql, objects, temporal{{ if .Values.trino.enabled }}, trino{{ end }}{{ if .Values.warehouse.enabled }}, warehouse{{ end }}{{ if .Values.bigquery.enabled }}, bigquery, googleMetadata{{ end }}, telemetry]
cdc:
  settings: [KAFKA_BROKERS, KAFKA_TLS, KAFKA_SASL_MECHANISM, KAFKA_COMPRESSION, STREAMFORGE_CDC_TABLES, STREAMFORGE_CDC_SLOT, STREAMFORGE_CDC_PUBLICATION, STREAMFORGE_LOG_LEVEL]
  secrets: [CDC_SOURCE_URL]
  servers: [kafka, cdcSource, telemetry]
migrate:
  settings: [STREAMFORGE_LOG_LEVEL]
  secrets: [DATABASE_URL]
  servers: [postgresql]
topics:
  settings: [KAFKA_BROKERS, KAFKA_TLS, KAFKA_SASL_MECHANISM, STREAMFORGE_LOG_LEVEL{{ if .Values.roles.cdc.enabled }}, STREAMFORGE_CDC_TABLES{{ end }}]
  secrets: []
  servers: [kafka]
doctor:
  settings: [STREAMFORGE_LOG_LEVEL]
  secrets: [STREAMFORGE_WRITE_KEY, STREAMFORGE_JWT_SECRET]
  servers: []
{{- end -}}

{{- /* Whether a role reads the file of foreign topics, where there is one: who reads or makes them, and who looks at what could not be read of them. Empty means no. */ -}}
{{- define "streamforge.hasForeignTopics" -}}
{{- if and .root.Values.foreignTopics.configMap (has .role (list "edge" "streams" "lake-writer" "worker" "topics")) -}}yes{{- end -}}
{{- end -}}

{{- /* The settings of a role as {name: value}, its own before everybody's. An empty one is left out: then it is as the platform has it by default. */ -}}
{{- define "streamforge.settings" -}}
{{- $role := .role -}}
{{- $values := .root.Values -}}
{{- $own := (index $values.roles $role | default dict).settings | default dict -}}
{{- $all := merge (dict) $own $values.settings -}}
{{- $needs := index (include "streamforge.needs" .root | fromYaml) $role -}}
{{- $settings := dict "STREAMFORGE_DATA_DIR" "/data" -}}
{{- range $name := $needs.settings -}}
{{- $value := index $all $name | toString -}}
{{- if $value }}{{ $_ := set $settings $name $value }}{{ end -}}
{{- end -}}
{{- if has $role (keys $values.roles) -}}
{{- $_ := set $settings "STREAMFORGE_HOST" "0.0.0.0" -}}
{{- $_ := set $settings (eq $role "edge" | ternary "STREAMFORGE_PORT" "STREAMFORGE_METRICS_PORT") (include "streamforge.port" $role) -}}
{{- with $values.telemetry -}}
{{- if .endpoint -}}
{{- $_ := set $settings "OTEL_EXPORTER_OTLP_ENDPOINT" .endpoint -}}
{{- $_ := set $settings "OTEL_TRACES_SAMPLER_ARG" (.ratio | toString) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if include "streamforge.hasForeignTopics" . -}}
{{- $_ := set $settings "STREAMFORGE_FOREIGN_TOPICS" (printf "/config/%s" $values.foreignTopics.key) -}}
{{- end -}}
{{- if $values.certificates.configMap -}}
{{- $_ := set $settings "NODE_EXTRA_CA_CERTS" (printf "/certificates/%s" $values.certificates.key) -}}
{{- end -}}
{{ $settings | toYaml }}
{{- end -}}

{{- /* The variables that come from the role's Secret, as {names: […]}. */ -}}
{{- define "streamforge.secretVariables" -}}
{{- $needs := index (include "streamforge.needs" .root | fromYaml) .role -}}
{{- $names := $needs.secrets -}}
{{- if and (has "KAFKA_SASL_MECHANISM" $needs.settings) (ne .root.Values.settings.KAFKA_SASL_MECHANISM "none") -}}
{{- $names = concat $names (list "KAFKA_SASL_USERNAME" "KAFKA_SASL_PASSWORD") -}}
{{- end -}}
{{ dict "names" $names | toYaml }}
{{- end -}}

# What the chart in deploy/helm must know of all this: terraform output -raw helm_values > from-terraform.yaml. Addresses and names only; a test holds the keys to the chart's.

locals {
  helm_values = {
    image = {
      repository = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}/streamforge"
    }
    settings = {
      KAFKA_BROKERS           = "bootstrap.${google_managed_kafka_cluster.main.cluster_id}.${var.region}.managedkafka.${var.project}.cloud.goog:9092"
      STREAMFORGE_OBJECTS_URL = "gs://${google_storage_bucket.lake.name}/lake"
      STREAMFORGE_CDC_TABLES  = join(",", flatten([for followed in var.cdc[*] : sort(followed.tables)]))
      WAREHOUSE_SCHEMA        = try(var.warehouse.schema, "streamforge")
      BIGQUERY_DATASET        = join("", [for dataset in google_bigquery_dataset.lake : "${var.project}.${dataset.dataset_id}"])
      BIGQUERY_CONNECTION     = join("", [for connection in google_bigquery_connection.lake : "${var.project}.${connection.location}.${connection.connection_id}"])
    }
    roles = {
      edge = {
        serviceAccount = { annotations = { "iam.gke.io/gcp-service-account" = google_service_account.role["edge"].email } }
      }
      streams = {
        serviceAccount = { annotations = { "iam.gke.io/gcp-service-account" = google_service_account.role["streams"].email } }
        # Checkpoints are no concern of who reads the lake.
        settings = { STREAMFORGE_OBJECTS_URL = "gs://${google_storage_bucket.checkpoints.name}/checkpoints" }
      }
      lake-writer = {
        serviceAccount = { annotations = { "iam.gke.io/gcp-service-account" = google_service_account.role["lake-writer"].email } }
      }
      worker = {
        serviceAccount = { annotations = { "iam.gke.io/gcp-service-account" = google_service_account.role["worker"].email } }
      }
      cdc = {
        enabled        = var.cdc != null
        serviceAccount = { annotations = { "iam.gke.io/gcp-service-account" = try(google_service_account.role["cdc"].email, "") } }
      }
    }
    warehouse = {
      enabled = var.warehouse != null
    }
    bigquery = {
      enabled = var.bigquery_reads_lake
    }
    externalSecrets = {
      prefix = "${local.name}-"
      google = {
        project         = var.project
        clusterLocation = var.region
        clusterName     = google_container_cluster.main.name
        serviceAccount  = google_service_account.secrets.email
      }
    }
    gateway = {
      host = var.host
    }
    networkPolicy = {
      dependencies = {
        kafka      = { to = [{ ipBlock = { cidr = var.network_cidrs.nodes } }] }
        postgresql = { to = [{ ipBlock = { cidr = var.network_cidrs.managed } }] }
        redis      = { to = [{ ipBlock = { cidr = var.network_cidrs.managed } }], ports = [google_redis_instance.main.port] }
        objects    = { to = [{ ipBlock = { cidr = local.private_google_cidr } }] }
        bigquery   = { to = [{ ipBlock = { cidr = local.private_google_cidr } }] }
        cdcSource  = { to = [for followed in var.cdc[*] : { ipBlock = { cidr = followed.cidr } }], ports = [try(var.cdc.port, 5432)] }
        warehouse  = { to = [for used in var.warehouse[*] : { ipBlock = { cidr = used.cidr } }], ports = [try(var.warehouse.port, 5432)] }
      }
    }
  }
}

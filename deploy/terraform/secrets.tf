# Secret Manager: for each role one entry, a JSON object of the variables that it reads, as the chart's External Secrets take it. Made here, so they are in the state too: see versions.tf.

resource "random_password" "write_key" {
  length  = 40
  special = false
}

resource "random_password" "jwt_secret" {
  length  = 64
  special = false
}

# At most 72 bytes count.
resource "random_password" "admin" {
  length  = 32
  special = false
}

locals {
  database = { DATABASE_URL = local.database_url }
  redis    = { REDIS_URL = local.redis_url }
  registry = { SCHEMA_REGISTRY_URL = var.schema_registry_url }
  kafka = {
    for client in local.kafka_clients : client => {
      KAFKA_SASL_USERNAME = google_service_account.role[client].email
      KAFKA_SASL_PASSWORD = google_service_account_key.kafka[client].private_key
    }
  }
  objects = {
    for client in keys(local.object_clients) : client => {
      AWS_ACCESS_KEY_ID     = google_storage_hmac_key.role[client].access_id
      AWS_SECRET_ACCESS_KEY = google_storage_hmac_key.role[client].secret
    }
  }
  # Of the databases of others: given, and not made here.
  source    = { CDC_SOURCE_URL = var.cdc_source_url }
  warehouse = { WAREHOUSE_URL = var.warehouse_url }
  access = {
    STREAMFORGE_WRITE_KEY      = "wk_${random_password.write_key.result}"
    STREAMFORGE_JWT_SECRET     = random_password.jwt_secret.result
    STREAMFORGE_ADMIN_PASSWORD = random_password.admin.result
  }

  secrets = {
    edge        = merge(local.database, local.redis, local.registry, local.kafka["edge"], local.objects["edge"], local.access)
    streams     = merge(local.database, local.redis, local.registry, local.kafka["streams"], local.objects["streams"])
    lake-writer = merge(local.database, local.registry, local.kafka["lake-writer"], local.objects["lake-writer"])
    worker      = merge(local.database, local.kafka["worker"], local.objects["worker"], [for used in var.warehouse[*] : local.warehouse]...)
    cdc         = merge(local.source, [for client in local.followers : local.kafka[client]]...)
    migrate     = local.database
    topics      = local.kafka["topics"]
  }
}

resource "google_secret_manager_secret" "role" {
  for_each  = setunion(local.roles, local.jobs)
  secret_id = "${local.name}-${each.value}"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_secret_manager_secret_version" "role" {
  for_each    = google_secret_manager_secret.role
  secret      = each.value.id
  secret_data = jsonencode(local.secrets[each.key])
}

resource "google_secret_manager_secret_iam_member" "store_reads" {
  for_each  = google_secret_manager_secret.role
  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.secrets.member
}

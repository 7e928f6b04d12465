# Cloud SQL: the results, the catalog of the lake, accounts and the audit log.

resource "google_sql_database_instance" "main" {
  name                = local.name
  region              = var.region
  database_version    = var.database.version
  deletion_protection = var.is_protected

  settings {
    tier                        = var.database.tier
    edition                     = "ENTERPRISE"
    availability_type           = var.database.is_highly_available ? "REGIONAL" : "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = var.database.disk_gb
    disk_autoresize             = true
    deletion_protection_enabled = var.is_protected

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.main.id
      ssl_mode        = "ENCRYPTED_ONLY"
      # BigQuery may read it without leaving Google's network.
      enable_private_path_for_google_cloud_services = true
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "03:30"
      location                       = var.region
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7
      backup_retention_settings {
        retained_backups = var.database.backup_days
        retention_unit   = "COUNT"
      }
    }

    # Changes of the tables as a stream, for whoever reads them. A slot whose reader has gone keeps the log for ever, and the disk grows with it: drop it.
    database_flags {
      name  = "cloudsql.logical_decoding"
      value = "on"
    }
    # People sign in with their Google account. Processes have a password: a token ends after an hour, and they take one at their start.
    database_flags {
      name  = "cloudsql.iam_authentication"
      value = "on"
    }
    database_flags {
      name  = "max_connections"
      value = tostring(var.database.max_connections)
    }

    insights_config {
      query_insights_enabled  = true
      record_application_tags = true
      record_client_address   = false
    }

    maintenance_window {
      day          = 7
      hour         = 4
      update_track = "stable"
    }
  }

  depends_on = [google_service_networking_connection.managed]
}

resource "google_sql_database" "main" {
  name     = "streamforge"
  instance = google_sql_database_instance.main.name
  # Its tables and roles go with the instance.
  deletion_policy = "ABANDON"
}

resource "random_password" "database" {
  length = 40
  # It stands in a URL.
  special = false
}

resource "google_sql_user" "platform" {
  name     = "streamforge"
  instance = google_sql_database_instance.main.name
  password = random_password.database.result
  # What it owns can't be dropped with it.
  deletion_policy = "ABANDON"
}

resource "google_sql_user" "people" {
  for_each = var.database_people
  name     = each.value
  instance = google_sql_database_instance.main.name
  type     = "CLOUD_IAM_USER"
}

locals {
  # Encrypted, by ssl_mode and by sslmode alike. The server's certificate is not checked: its name is no address, and the way there is Google's own.
  database_url = "postgres://${google_sql_user.platform.name}:${random_password.database.result}@${google_sql_database_instance.main.private_ip_address}:5432/${google_sql_database.main.name}?sslmode=require"
}

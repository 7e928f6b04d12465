# Memorystore: the features of users. It must keep what it has; what is lost is written again from the streams' state.

resource "google_redis_instance" "main" {
  name               = local.name
  region             = var.region
  redis_version      = "REDIS_7_2"
  tier               = var.redis.is_highly_available ? "STANDARD_HA" : "BASIC"
  memory_size_gb     = var.redis.memory_gb
  authorized_network = google_compute_network.main.id
  connect_mode       = "PRIVATE_SERVICE_ACCESS"
  auth_enabled       = true
  # Its certificate names no address, and Node checks that there is one: TLS would be refused by our client. The way there is within Google's network, and a password is asked for.
  transit_encryption_mode = "DISABLED"

  redis_configs = {
    "maxmemory-policy" = "noeviction"
  }

  persistence_config {
    persistence_mode    = "RDB"
    rdb_snapshot_period = "ONE_HOUR"
  }

  maintenance_policy {
    weekly_maintenance_window {
      day = "SUNDAY"
      start_time {
        hours = 4
      }
    }
  }

  depends_on = [google_service_networking_connection.managed]
}

locals {
  redis_url = "redis://:${google_redis_instance.main.auth_string}@${google_redis_instance.main.host}:${google_redis_instance.main.port}"
}

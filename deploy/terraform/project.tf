# Names, roles, and the services of Google that are used.

locals {
  name = "streamforge-${var.environment}"

  # What runs for long, and the jobs that go before an upgrade. The source of changes is there where a database is followed.
  roles = setunion(["edge", "streams", "lake-writer", "worker"], local.followers)
  jobs  = toset(["migrate", "topics"])
  # Those that speak to Kafka, and those that speak to the object store and the bucket that is theirs.
  kafka_clients = setunion(["edge", "streams", "lake-writer", "worker", "topics"], local.followers)
  followers     = toset([for followed in var.cdc[*] : "cdc"])
  object_clients = {
    edge        = google_storage_bucket.lake.name
    streams     = google_storage_bucket.checkpoints.name
    lake-writer = google_storage_bucket.lake.name
    worker      = google_storage_bucket.lake.name
  }

  services = toset([
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "bigqueryconnection.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "dns.googleapis.com",
    "iam.googleapis.com",
    "managedkafka.googleapis.com",
    "redis.googleapis.com",
    "secretmanager.googleapis.com",
    "servicenetworking.googleapis.com",
    "sqladmin.googleapis.com",
    "storage.googleapis.com",
  ])
}

resource "google_project_service" "used" {
  for_each = local.services
  service  = each.value
  # Others in the project may use it as well.
  disable_on_destroy = false
}

# Images: ours, and copies of those of others, since nothing here reaches the internet.
resource "google_artifact_registry_repository" "images" {
  repository_id = "streamforge-${var.environment}"
  location      = var.region
  format        = "DOCKER"
  description   = "Images that the cluster runs"

  docker_config {
    # What was tried is what runs.
    immutable_tags = true
  }

  depends_on = [google_project_service.used]
}

resource "google_artifact_registry_repository_iam_member" "nodes_pull" {
  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}

# The star schema in BigQuery: external tables over Iceberg's metadata, read through a connection that has rights of its own, so that readers need none on the bucket. The worker makes the tables and tells them of
# each commit; it may do that and no more: neither read what is in them nor drop them.

resource "google_bigquery_connection" "lake" {
  count         = var.bigquery_reads_lake ? 1 : 0
  connection_id = "${local.name}-lake"
  location      = var.region
  description   = "Reads the files of StreamForge's lake"

  cloud_resource {}

  depends_on = [google_project_service.used]
}

resource "google_storage_bucket_iam_member" "bigquery_reads_lake" {
  count  = var.bigquery_reads_lake ? 1 : 0
  bucket = google_storage_bucket.lake.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${google_bigquery_connection.lake[0].cloud_resource[0].service_account_id}"
}

resource "google_bigquery_dataset" "lake" {
  count                      = var.bigquery_reads_lake ? 1 : 0
  dataset_id                 = "streamforge_${var.environment}"
  location                   = var.region
  description                = "Tables of StreamForge's lake, as of the metadata that each names"
  delete_contents_on_destroy = false

  depends_on = [google_project_service.used]
}

# Roles of Google's own that have these rights have many more.
resource "google_project_iam_custom_role" "registers_tables" {
  count       = var.bigquery_reads_lake ? 1 : 0
  role_id     = "streamforge_${var.environment}_registers_tables"
  title       = "StreamForge registers tables (${var.environment})"
  permissions = ["bigquery.tables.create", "bigquery.tables.get", "bigquery.tables.update"]
}

resource "google_project_iam_custom_role" "delegates_connection" {
  count       = var.bigquery_reads_lake ? 1 : 0
  role_id     = "streamforge_${var.environment}_delegates_connection"
  title       = "StreamForge has tables read by a connection (${var.environment})"
  permissions = ["bigquery.connections.delegate"]
}

resource "google_bigquery_dataset_iam_member" "registers_tables" {
  count      = var.bigquery_reads_lake ? 1 : 0
  dataset_id = google_bigquery_dataset.lake[0].dataset_id
  role       = google_project_iam_custom_role.registers_tables[0].id
  member     = google_service_account.role["worker"].member
}

resource "google_bigquery_connection_iam_member" "delegates_connection" {
  count         = var.bigquery_reads_lake ? 1 : 0
  location      = google_bigquery_connection.lake[0].location
  connection_id = google_bigquery_connection.lake[0].connection_id
  role          = google_project_iam_custom_role.delegates_connection[0].id
  member        = google_service_account.role["worker"].member
}

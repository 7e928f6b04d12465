output "helm_values" {
  description = "Values for the chart in deploy/helm/streamforge, as YAML. Without secrets: those are in Secret Manager."
  value       = yamlencode(local.helm_values)
}

output "cluster" {
  description = "How kubectl gets to the cluster: by its name, with one's Google account."
  value       = "gcloud container clusters get-credentials ${google_container_cluster.main.name} --location ${var.region} --project ${var.project} --dns-endpoint"
}

output "images" {
  description = "Where the image is pushed to."
  value       = local.helm_values.image.repository
}

output "buckets" {
  description = "Where checkpoints, the lake, and what is taken out of dead letters are."
  value = {
    checkpoints  = google_storage_bucket.checkpoints.name
    lake         = google_storage_bucket.lake.name
    dead_letters = google_storage_bucket.dead_letters.name
  }
}

output "bigquery" {
  description = "The dataset whose tables read the lake, and the connection that they read it by. Null: there are none."
  value = {
    dataset    = one(google_bigquery_dataset.lake[*].dataset_id)
    connection = one(google_bigquery_connection.lake[*].name)
  }
}

output "secrets" {
  description = "The entries of Secret Manager by role. The first password of \"admin\" is in the edge's."
  value       = { for role, entry in google_secret_manager_secret.role : role => entry.secret_id }
}

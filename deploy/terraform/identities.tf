# Who is who: an account of Google for each role, with what the role needs and nothing else, and the account of Kubernetes that may be it.

resource "google_service_account" "role" {
  for_each     = setunion(local.roles, local.kafka_clients)
  account_id   = "${local.name}-${each.value}"
  display_name = "StreamForge ${each.value} (${var.environment})"
}

# Of the External Secrets Operator's store in the release's namespace: reads the entries of this environment.
resource "google_service_account" "secrets" {
  account_id   = "${local.name}-secrets"
  display_name = "Reads StreamForge's secrets (${var.environment})"
}

locals {
  # Kubernetes' accounts, as the chart names them.
  workload_identities = merge(
    { for role in local.roles : role => google_service_account.role[role].name },
    { secrets = google_service_account.secrets.name },
  )
}

resource "google_service_account_iam_member" "workload_identity" {
  for_each           = local.workload_identities
  service_account_id = each.value
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.project}.svc.id.goog[${var.namespace}/${var.release}-${each.key}]"

  # The pool comes with the cluster.
  depends_on = [google_container_cluster.main]
}

# To connect at all; what a client may do there is in its ACLs.
resource "google_project_iam_member" "kafka_client" {
  for_each = local.kafka_clients
  project  = var.project
  role     = "roles/managedkafka.client"
  member   = google_service_account.role[each.value].member
}

# To sign in to the database with one's Google account; what one may see there is granted in SQL.
resource "google_project_iam_member" "database_people" {
  for_each = {
    for pair in setproduct(var.database_people, ["roles/cloudsql.instanceUser", "roles/cloudsql.client"]) :
    join(" ", pair) => { person = pair[0], role = pair[1] }
  }
  project = var.project
  role    = each.value.role
  member  = "user:${each.value.person}"
}

# Kafka takes a key of the account as the password of SASL PLAIN: our client knows no tokens of Google. Its private key is the JSON file in base64, as Kafka wants it.
resource "google_service_account_key" "kafka" {
  for_each           = local.kafka_clients
  service_account_id = google_service_account.role[each.value].name
  keepers            = { rotated = var.keys_rotated }
}

# The S3 interface takes a pair of keys; our client looks up no roles of machines.
resource "google_storage_hmac_key" "role" {
  for_each              = local.object_clients
  service_account_email = google_service_account.role[each.key].email
}

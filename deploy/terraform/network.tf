# One private network: nothing in it has an address of the internet, and Google's services are reached within Google's network.

resource "google_compute_network" "main" {
  name                    = local.name
  auto_create_subnetworks = false

  depends_on = [google_project_service.used]
}

resource "google_compute_subnetwork" "nodes" {
  name          = "${local.name}-nodes"
  network       = google_compute_network.main.id
  region        = var.region
  ip_cidr_range = var.network_cidrs.nodes
  # Google's APIs without an address of the internet.
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = var.network_cidrs.pods
  }
  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = var.network_cidrs.services
  }
}

# Where Cloud SQL and Memorystore get their addresses.
resource "google_compute_global_address" "managed" {
  name          = "${local.name}-managed"
  network       = google_compute_network.main.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  address       = split("/", var.network_cidrs.managed)[0]
  prefix_length = tonumber(split("/", var.network_cidrs.managed)[1])
}

resource "google_service_networking_connection" "managed" {
  network                 = google_compute_network.main.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.managed.name]
}

# storage.googleapis.com and its like lead to four addresses, so that a network policy can name them.
locals {
  private_google_addresses = ["199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11"]
  private_google_cidr      = "199.36.153.8/30"
}

resource "google_dns_managed_zone" "google" {
  for_each    = toset(["googleapis.com", "pkg.dev"])
  name        = "${local.name}-${replace(each.value, ".", "-")}"
  dns_name    = "${each.value}."
  description = "Leads to private.googleapis.com"
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.main.id
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_dns_record_set" "google" {
  for_each     = google_dns_managed_zone.google
  managed_zone = each.value.name
  name         = each.key == "googleapis.com" ? "private.googleapis.com." : each.value.dns_name
  type         = "A"
  ttl          = 300
  rrdatas      = local.private_google_addresses
}

resource "google_dns_record_set" "google_all" {
  for_each     = google_dns_managed_zone.google
  managed_zone = each.value.name
  name         = "*.${each.value.dns_name}"
  type         = "CNAME"
  ttl          = 300
  rrdatas      = [google_dns_record_set.google[each.key].name]
}

# Buckets of the object store, spoken to by its S3 interface.
#
# No rule here deletes an object that is in use. Neither the age of a checkpoint nor that of a data file says whether it is needed: a partition that nothing was written to for a month still has the checkpoint of then,
# and a table of the lake names files of its first day until its snapshots expire. StreamForge deletes what it no longer needs; buckets keep versions, and what a rule removes for good is only what was deleted before.

resource "google_storage_bucket" "checkpoints" {
  name                        = "${var.project}-${local.name}-checkpoints"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true
  }
  # Versions do the same.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # A checkpoint that was replaced can be brought back for seven days, as long as the log could make it anew.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 7
      with_state                 = "ARCHIVED"
    }
  }
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }
}

resource "google_storage_bucket" "lake" {
  name                        = "${var.project}-${local.name}-lake"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true
  }
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # Data files that no compaction has touched for ninety days are read seldom. They stay where they are and under their name, only cheaper to keep; metadata, which every query reads, does not move.
  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
    condition {
      age                   = 90
      matches_storage_class = ["STANDARD"]
      matches_suffix        = [".parquet"]
      with_state            = "LIVE"
    }
  }
  # What maintenance of the tables removed can be brought back for seven days.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 7
      with_state                 = "ARCHIVED"
    }
  }
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }
}

# Dead letters are topics, kept for thirty days, and rows of raw.dead_letters. Here is where people put what they take out of them (`streamforge dlq list --json`) to work on it; it is gone when the topic's is.
resource "google_storage_bucket" "dead_letters" {
  name                        = "${var.project}-${local.name}-dead-letters"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 30
    }
  }
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }
}

# Each role in its bucket: list, read, write, delete.
resource "google_storage_bucket_iam_member" "role" {
  for_each = local.object_clients
  bucket   = each.value
  role     = "roles/storage.objectUser"
  member   = google_service_account.role[each.key].member
}

# Managed Kafka: the log. Topics are those of streams/contract/topics.ts, which a test holds them to; who may do what is written topic by topic.

locals {
  day_ms = 24 * 60 * 60 * 1000

  topics = {
    "clickstream.events"         = { partitions = 4, days = 7 }
    "transactions.orders"        = { partitions = 4, days = 7 }
    "trips.completed"            = { partitions = 4, days = 7 }
    "alerts.fraud"               = { partitions = 1, days = 30 }
    "late.events"                = { partitions = 1, days = 7 }
    "cdc.public.products"        = { partitions = 4, days = 7 }
    "cdc.public.orders"          = { partitions = 4, days = 7 }
    "cdc.public.order_items"     = { partitions = 4, days = 7 }
    "dlq.clickstream.events"     = { partitions = 1, days = 30 }
    "dlq.transactions.orders"    = { partitions = 1, days = 30 }
    "dlq.trips.completed"        = { partitions = 1, days = 30 }
    "dlq.cdc.public.products"    = { partitions = 1, days = 30 }
    "dlq.cdc.public.orders"      = { partitions = 1, days = 30 }
    "dlq.cdc.public.order_items" = { partitions = 1, days = 30 }
  }
  input_topics = toset(["clickstream.events", "transactions.orders", "trips.completed"])

  change_topics = toset(["cdc.public.products", "cdc.public.orders", "cdc.public.order_items"])

  # Of the tables that are followed, and of those among them that the platform itself does not know: their changes are for others.
  followed_topics = toset(flatten([for followed in var.cdc[*] : [for table in followed.tables : "cdc.${table}"]]))
  further_topics = merge(
    { for topic in setsubtract(local.followed_topics, local.change_topics) : topic => { partitions = 4, days = 7 } },
    { for topic in setsubtract(local.followed_topics, local.change_topics) : "dlq.${topic}" => { partitions = 1, days = 30 } },
  )

  # What can't be read of the topics of other producers.
  foreign_dead_letters = { for topic in var.foreign_topics : "dlq.${topic}" => { partitions = 1, days = 30 } }

  # The edge appends what clients send, and reads it when asked what became of an event; it shows what could not be read, and brings it back with a note beside it. The streams read what is sent and what
  # databases tell of, and write what follows from it. The lake-writer reads everything. The worker appends who is to be forgotten, and looks until when a topic remembers.
  contract_rights = {
    for topic in keys(merge(local.topics, local.foreign_dead_letters)) : topic => concat(
      contains(local.input_topics, topic) ? [
        { client = "edge", operation = "WRITE" },
        { client = "edge", operation = "READ" },
        { client = "streams", operation = "READ" },
        { client = "worker", operation = "WRITE" },
        ] : contains(local.change_topics, topic) ? [
        { client = "streams", operation = "READ" },
        ] : startswith(topic, "dlq.") ? [
        { client = "edge", operation = "WRITE" },
        { client = "edge", operation = "READ" },
        { client = "streams", operation = "WRITE" },
        ] : [
        { client = "streams", operation = "WRITE" },
      ],
      [
        { client = "lake-writer", operation = "READ" },
        { client = "worker", operation = "READ" },
        { client = "topics", operation = "DESCRIBE" },
        { client = "topics", operation = "DESCRIBE_CONFIGS" },
      ],
    )
  }
  # The source appends the changes of its tables, and reads how far it has come. Streams that read topics of others append what becomes of them.
  kafka_rights = {
    for topic in keys(merge(local.topics, local.further_topics, local.foreign_dead_letters)) : topic => concat(
      length(var.foreign_topics) > 0 && contains(local.input_topics, topic) ? [
        { client = "streams", operation = "WRITE" },
      ] : [],
      contains(local.followed_topics, topic) ? [
        { client = "cdc", operation = "WRITE" },
        { client = "cdc", operation = "READ" },
      ] : [],
      try(local.contract_rights[topic], [
        { client = "topics", operation = "DESCRIBE" },
        { client = "topics", operation = "DESCRIBE_CONFIGS" },
      ]),
    )
  }

  # Every client begins with the id that a producer has. Who may write a topic is given one; the lake-writer writes none.
  kafka_idempotent = toset(["lake-writer"])

  # Consumer groups, by the beginning of their name.
  kafka_groups = {
    "streamforge-streams" = "streams"
    "streamforge-foreign" = "streams"
    "streamforge-cdc"     = "streams"
    "streamforge-lake-"   = "lake-writer"
  }
}

resource "google_managed_kafka_cluster" "main" {
  cluster_id = local.name
  location   = var.region

  capacity_config {
    vcpu_count   = var.kafka.cpus
    memory_bytes = var.kafka.cpus * var.kafka.memory_gb_per_cpu * 1024 * 1024 * 1024
  }

  gcp_config {
    access_config {
      network_configs {
        subnet = google_compute_subnetwork.nodes.id
      }
    }
  }

  rebalance_config {
    mode = "AUTO_REBALANCE_ON_SCALE_UP"
  }

  depends_on = [google_project_service.used]
}

resource "google_managed_kafka_topic" "main" {
  for_each           = merge(local.topics, local.further_topics, local.foreign_dead_letters)
  topic_id           = each.key
  cluster            = google_managed_kafka_cluster.main.cluster_id
  location           = var.region
  partition_count    = each.value.partitions
  replication_factor = 3

  configs = {
    "cleanup.policy" = "delete"
    "retention.ms"   = tostring(each.value.days * local.day_ms)
    # The watermark caps event times at the time of the append: that must be the broker's clock.
    "message.timestamp.type" = "LogAppendTime"
    # An acknowledged record is on two machines.
    "min.insync.replicas" = "2"
  }

  lifecycle {
    # The log is the truth: with a topic goes what was accepted.
    prevent_destroy = true
  }
}

resource "google_managed_kafka_acl" "topic" {
  for_each = local.kafka_rights
  acl_id   = "topic/${each.key}"
  cluster  = google_managed_kafka_cluster.main.cluster_id
  location = var.region

  dynamic "acl_entries" {
    for_each = each.value
    content {
      principal       = "User:${google_service_account.role[acl_entries.value.client].email}"
      operation       = acl_entries.value.operation
      permission_type = "ALLOW"
      host            = "*"
    }
  }

  depends_on = [google_managed_kafka_topic.main]
}

resource "google_managed_kafka_acl" "group" {
  for_each = local.kafka_groups
  acl_id   = "consumerGroupPrefixed/${each.key}"
  cluster  = google_managed_kafka_cluster.main.cluster_id
  location = var.region

  acl_entries {
    principal       = "User:${google_service_account.role[each.value].email}"
    operation       = "READ"
    permission_type = "ALLOW"
    host            = "*"
  }
}

resource "google_managed_kafka_acl" "cluster" {
  acl_id   = "cluster"
  cluster  = google_managed_kafka_cluster.main.cluster_id
  location = var.region

  dynamic "acl_entries" {
    for_each = local.kafka_idempotent
    content {
      principal       = "User:${google_service_account.role[acl_entries.value].email}"
      operation       = "IDEMPOTENT_WRITE"
      permission_type = "ALLOW"
      host            = "*"
    }
  }
}

# What differs between environments. environments/*.tfvars have the values of three; addresses and people are given with them.

variable "project" {
  description = "The Google Cloud project in which everything is made. It exists, and has billing."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be the id of a project: 6 to 30 lower case letters, digits and dashes, such as example-project."
  }
}

variable "region" {
  description = "Where everything is: one region, three zones. Managed Kafka, Memorystore and Autopilot must be offered there."
  type        = string
  default     = "europe-west3"
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region such as europe-west3, not a zone."
  }
}

variable "environment" {
  description = "dev, staging or prod: part of every name."
  type        = string
  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment must be dev, staging or prod."
  }
}

variable "host" {
  description = "The name by which clients reach the edge. DNS and its certificate belong to the Gateway, which is not made here."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.host))
    error_message = "host must be a full name such as events.example.com."
  }
}

variable "namespace" {
  description = "Of Kubernetes: where the chart is installed."
  type        = string
  default     = "streamforge"
}

variable "release" {
  description = "The name under which the chart is installed: it begins the names of its service accounts."
  type        = string
  default     = "streamforge"
}

variable "network_cidrs" {
  description = "Ranges that overlap with nothing they are to be peered with: of nodes (and Kafka's addresses), pods, services, and of Google's managed services (Cloud SQL, Memorystore)."
  type = object({
    nodes    = string
    pods     = string
    services = string
    managed  = string
  })
  default = {
    nodes    = "10.10.0.0/20"
    pods     = "10.16.0.0/14"
    services = "10.20.0.0/20"
    managed  = "10.30.0.0/20"
  }
  validation {
    condition     = alltrue([for cidr in values(var.network_cidrs) : can(cidrhost(cidr, 1)) && can(regex("^(10|172|192)\\.", cidr))])
    error_message = "network_cidrs must be private ranges such as 10.10.0.0/20."
  }
}

variable "is_protected" {
  description = "Whether the cluster, the database and the tables refuse to be destroyed. Off for a moment, by hand, where somebody means it."
  type        = bool
  default     = true
}

variable "database" {
  description = "Cloud SQL: the version of PostgreSQL, a machine type, gigabytes to begin with (it grows), whether a second zone stands by, and for how many days backups are kept."
  type = object({
    version             = string
    tier                = string
    disk_gb             = number
    is_highly_available = bool
    backup_days         = number
    max_connections     = number
  })
  validation {
    condition     = contains(["POSTGRES_17", "POSTGRES_18"], var.database.version)
    error_message = "database.version must be POSTGRES_17 or POSTGRES_18."
  }
  validation {
    condition     = var.database.backup_days >= 7 && var.database.backup_days <= 365
    error_message = "database.backup_days must be from 7 to 365."
  }
}

variable "database_people" {
  description = "E-mail addresses of people who may sign in to the database with their Google account. What they may see there is granted in SQL."
  type        = set(string)
  default     = []
}

variable "redis" {
  description = "Memorystore: gigabytes of memory (a million live users take about one), and whether a second zone stands by."
  type = object({
    memory_gb           = number
    is_highly_available = bool
  })
  validation {
    condition     = var.redis.memory_gb >= 1 && var.redis.memory_gb <= 300
    error_message = "redis.memory_gb must be from 1 to 300. Nothing is evicted there: what does not fit is refused."
  }
}

variable "kafka" {
  description = "Managed Kafka: CPUs (at least 3), and gigabytes of memory for each of them."
  type = object({
    cpus              = number
    memory_gb_per_cpu = number
  })
  validation {
    condition     = var.kafka.cpus >= 3 && var.kafka.memory_gb_per_cpu >= 1 && var.kafka.memory_gb_per_cpu <= 8
    error_message = "kafka.cpus must be at least 3, and kafka.memory_gb_per_cpu from 1 to 8."
  }
}

variable "keys_rotated" {
  description = "The day on which Kafka's keys were last made anew: another day makes new ones at the next apply. Restart the roles after that."
  type        = string
  default     = "2026-11-21"
  validation {
    condition     = can(regex("^\\d{4}-\\d{2}-\\d{2}$", var.keys_rotated))
    error_message = "keys_rotated must be a day such as 2026-11-21."
  }
}

variable "schema_registry_url" {
  description = "A Confluent-compatible registry within the cluster. Without a password: one that has a password is put into the entries of Secret Manager by hand."
  type        = string
  default     = "http://schema-registry.schema-registry.svc:8081"
  validation {
    condition     = can(regex("^https?://[^@/]+$", var.schema_registry_url))
    error_message = "schema_registry_url must be http:// or https://, a host and perhaps a port, and no password."
  }
}

variable "foreign_topics" {
  description = "Topics of other producers in this Kafka whose rows the streams bring into ours, as foreignTopics.configMap of the chart names them. Their own rights are with their producers: README.md says which are needed."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for topic in var.foreign_topics : can(regex("^[\\w.-]{1,150}$", topic)) && !startswith(topic, "dlq.")])
    error_message = "foreign_topics must be names of topics of at most 150 characters, and none of dead letters."
  }
}

variable "cdc" {
  description = "The database that the role cdc follows: a range of addresses that holds it and no more, its port, and the tables, ten at most. Null: none is followed, and the role has no account."
  type = object({
    cidr   = string
    port   = optional(number, 5432)
    tables = optional(set(string), ["public.products", "public.orders", "public.order_items"])
  })
  default = null
  validation {
    condition = var.cdc == null ? true : (
      can(cidrhost(var.cdc.cidr, 0)) && length(var.cdc.tables) > 0 && length(var.cdc.tables) <= 10 &&
      alltrue([for table in var.cdc.tables : can(regex("^[\\w-]{1,63}\\.[\\w-]{1,63}$", table))])
    )
    error_message = "cdc must have a cidr such as 10.40.0.5/32 and at most ten tables with their schemas, such as public.products."
  }
}

variable "cdc_source_url" {
  description = "Of that database, with the user that may replicate and its password: by TF_VAR_cdc_source_url, never in a file."
  type        = string
  default     = ""
  sensitive   = true
  validation {
    condition     = var.cdc == null || can(regex("^postgres(ql)?://", var.cdc_source_url))
    error_message = "cdc_source_url must be a URL that begins with postgres:// where cdc is set."
  }
}

variable "warehouse" {
  description = "The database that speaks PostgreSQL to which the star schema is copied: a range of addresses that holds it and no more, its port, and the schema there. Null: none."
  type = object({
    cidr   = string
    port   = optional(number, 5432)
    schema = optional(string, "streamforge")
  })
  default = null
  validation {
    condition     = var.warehouse == null ? true : can(cidrhost(var.warehouse.cidr, 0)) && can(regex("^[a-z_][a-z0-9_]{0,62}$", var.warehouse.schema))
    error_message = "warehouse must have a cidr such as 10.40.0.6/32, and a schema of small letters, digits and underscores."
  }
}

variable "warehouse_url" {
  description = "Of that database, with user and password: by TF_VAR_warehouse_url, never in a file."
  type        = string
  default     = ""
  sensitive   = true
  validation {
    condition     = var.warehouse == null || can(regex("^postgres(ql)?://", var.warehouse_url))
    error_message = "warehouse_url must be a URL that begins with postgres:// where warehouse is set."
  }
}

variable "bigquery_reads_lake" {
  description = "Whether BigQuery reads the lake's star schema in place: a dataset, a connection that may read the bucket, and the right of the worker to tell it which files are current."
  type        = bool
  default     = false
}

# Small, and gone again when nobody needs it. With -var: project, host.
environment  = "dev"
is_protected = false

database = {
  version             = "POSTGRES_17"
  tier                = "db-custom-1-3840"
  disk_gb             = 10
  is_highly_available = false
  backup_days         = 7
  max_connections     = 100
}

redis = {
  memory_gb           = 1
  is_highly_available = false
}

kafka = {
  cpus              = 3
  memory_gb_per_cpu = 1
}

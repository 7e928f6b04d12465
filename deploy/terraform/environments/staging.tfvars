# As production, with less of everything. With -var: project, host.
environment  = "staging"
is_protected = true

database = {
  version             = "POSTGRES_17"
  tier                = "db-custom-2-7680"
  disk_gb             = 50
  is_highly_available = false
  backup_days         = 7
  max_connections     = 200
}

redis = {
  memory_gb           = 2
  is_highly_available = false
}

kafka = {
  cpus              = 3
  memory_gb_per_cpu = 2
}

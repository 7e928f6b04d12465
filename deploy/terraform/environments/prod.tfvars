# With -var: project, host. What is doubled stands in a second zone.
environment  = "prod"
is_protected = true

database = {
  version             = "POSTGRES_17"
  tier                = "db-custom-8-32768"
  disk_gb             = 200
  is_highly_available = true
  backup_days         = 30
  # Six for each of 20 edges, some ten for each of the others.
  max_connections = 400
}

redis = {
  memory_gb           = 5
  is_highly_available = true
}

kafka = {
  cpus              = 6
  memory_gb_per_cpu = 4
}

terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source = "hashicorp/google"
      # The release whose schema these files were held against.
      version = "~> 6.50"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }

  # The bucket is said at the start, one for each environment: terraform init -backend-config=bucket=… (README.md). The state holds keys and passwords: who may read it, may do everything.
  backend "gcs" {
    prefix = "streamforge"
  }
}

provider "google" {
  project = var.project
  region  = var.region

  default_labels = {
    application = "streamforge"
    environment = var.environment
  }
}

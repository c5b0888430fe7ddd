# What a platform team would run: one hostname, a warm door, a customer's key, alerts, a budget, a remote state.

terraform {
  backend "gcs" {
    prefix = "tuneway" # terraform init -backend-config=bucket=<the bucket of your states>
  }
}

variable "project" {
  type = string
}

variable "billing_account" {
  type = string
}

provider "google" {
  project               = var.project
  billing_project       = var.project
  user_project_override = true # budgets belong to no project: somebody's quota must count
}

resource "google_kms_key_ring" "tuneway" {
  project  = var.project
  location = "europe-west4"
  name     = "tuneway"
}

resource "google_kms_crypto_key" "tuneway" {
  name            = "data"
  key_ring        = google_kms_key_ring.tuneway.id
  rotation_period = "7776000s"
  lifecycle {
    prevent_destroy = true # without it, nothing that it encrypted can be read again
  }
}

module "tuneway" {
  source   = "../.."
  project  = var.project
  region   = "europe-west4"
  hostname = "models.example.com"
  kms_key  = "projects/${var.project}/locations/europe-west4/keyRings/tuneway/cryptoKeys/data"
  labels   = { team = "ml-platform", env = "production" }

  instances = {
    predict = { min = 1, max = 100 }
    tuning  = { max = 10 }
  }
  vendors = {
    anthropic = {}
    azure     = { base_url = "https://example.openai.azure.com", api_version = "2026-02-01" }
    mistral   = {}
  }
  settings = {
    max_cost_usd = 500
  }
  alerts = {
    emails          = ["ml-platform@example.com"]
    spend_usd_day   = 200
    billing_account = var.billing_account
    budget_usd      = 5000
  }
  depends_on = [google_kms_crypto_key.tuneway]
}

output "tuneway" {
  value = module.tuneway
}

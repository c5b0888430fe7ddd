# Beside what a project already runs: names of its own, a database of its own, no public door, datasets that are there.

variable "project" {
  type = string
}

provider "google" {
  project               = var.project
  billing_project       = var.project
  user_project_override = true
}

module "tuneway" {
  source   = "../.."
  project  = var.project
  name     = "ml-tuneway"
  database = "ml-tuneway"
  internal = true
  public   = false
  members  = ["group:ml-engineers@example.com"]

  dataset_buckets    = ["${var.project}-training-data"]
  secret_environment = { OPENAI_API_KEY = "openai-key" }
  settings           = { watch = "incoming/" }
}

output "tuneway" {
  value = module.tuneway
}

# Everything tuneway is, in a project of its own; nothing bills while nobody asks, and destroy removes all of it.

variable "project" {
  type = string
}

provider "google" {
  project               = var.project
  billing_project       = var.project
  user_project_override = true
}

module "tuneway" {
  source              = "../.."
  project             = var.project
  deletion_protection = false
}

output "tuneway" {
  value = module.tuneway
}

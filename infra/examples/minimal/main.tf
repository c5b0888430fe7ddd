# Everything tuneway is, in a project of its own; nothing bills while nobody asks, and destroy removes all of it.

variable "project" {
  type = string
}

variable "region" {
  type    = string
  default = "us-central1"
}

variable "bundles" {
  type    = string
  default = null
}

variable "vendors" {
  type    = any
  default = {}
}

variable "settings" {
  type    = any
  default = {}
}

provider "google" {
  project               = var.project
  billing_project       = var.project
  user_project_override = true
}

module "tuneway" {
  source              = "../.."
  project             = var.project
  region              = var.region
  bundles             = var.bundles
  vendors             = var.vendors
  settings            = var.settings
  deletion_protection = false
}

output "tuneway" {
  value = module.tuneway
}

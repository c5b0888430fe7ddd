terraform {
  required_version = ">= 1.9"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50" # the schema that this module is checked against: schema/google.json
    }
  }
}

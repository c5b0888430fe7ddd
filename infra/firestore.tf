# The state, its indexes, and the fields that need none.

resource "google_firestore_database" "this" {
  project                           = var.project
  name                              = var.database
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "PESSIMISTIC"
  app_engine_integration_mode       = "DISABLED"
  point_in_time_recovery_enablement = var.deletion_protection ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = "DELETE"

  dynamic "cmek_config" {
    for_each = var.kms_key[*]
    content {
      kms_key_name = cmek_config.value
    }
  }
  depends_on = [google_project_service.this, google_kms_crypto_key_iam_member.agents]
}

locals {
  # One for each question that asks by one field and orders by another; a test asks the code for all of them.
  indexes = {
    jobs_newest        = { collection = "jobs", equal = "owner", order = "created_at", direction = "DESCENDING" }
    sweeps_newest      = { collection = "sweeps", equal = "owner", order = "created_at", direction = "DESCENDING" }
    files_oldest       = { collection = "files", equal = "owner", order = "created_at", direction = "ASCENDING" }
    files_newest       = { collection = "files", equal = "owner", order = "created_at", direction = "DESCENDING" }
    models_oldest      = { collection = "models", equal = "owner", order = "created_at", direction = "ASCENDING" }
    retunes_newest     = { collection = "retunes", equal = "owner", order = "created_at", direction = "DESCENDING" }
    usage_of_owner     = { collection = "usage", equal = "owner", order = "at", direction = "ASCENDING" }
    usage_of_route     = { collection = "usage", equal = "route", order = "at", direction = "ASCENDING" }
    deployments_oldest = { collection = "deployments", equal = "owner", order = "created_at", direction = "ASCENDING" }
    deployments_due    = { collection = "deployments", equal = "open", order = "deadline", direction = "ASCENDING" }
  }

  # Nobody asks by these. Large ones would be cut at 1,500 bytes and bill twice; hot ones would be indexed every minute.
  unindexed = {
    snapshots    = ["body", "version"]
    jobs         = ["dataset", "validation_dataset", "estimate", "hyperparameters", "metadata", "progress", "moved_at", "deadline", "checkpoint_losses", "announced", "error", "recent"]
    events       = ["told"]
    lints        = ["report", "error"]
    dead_letters = ["data", "attributes"]
    models       = ["mirrored", "moves"]
    retunes      = ["changes", "comparison", "estimate", "hyperparameters", "moments", "plan"]
    versions     = ["checkpoints", "route", "targets"]
    parts        = ["body", "version"]
    routes       = ["targets"]
    shards       = ["seen"]
    usage        = ["tally", "seen"]
    tallies      = ["tally", "seen"]
  }

  # Collections whose documents go by themselves, and the field with their time. Firestore takes timestamps only, and
  # tuneway keeps Unix seconds: there is none yet.
  expiring = {}
}

resource "google_firestore_index" "this" {
  for_each    = local.indexes
  project     = var.project
  database    = google_firestore_database.this.name
  collection  = each.value.collection
  query_scope = "COLLECTION"

  fields {
    field_path = each.value.equal
    order      = "ASCENDING"
  }
  fields {
    field_path = each.value.order
    order      = each.value.direction
  }
}

resource "google_firestore_field" "unindexed" {
  for_each   = { for pair in flatten([for name, fields in local.unindexed : [for field in fields : { collection = name, field = field }]]) : "${pair.collection}.${pair.field}" => pair }
  project    = var.project
  database   = google_firestore_database.this.name
  collection = each.value.collection
  field      = each.value.field
  index_config {}
}

resource "google_firestore_field" "expiring" {
  for_each   = local.expiring
  project    = var.project
  database   = google_firestore_database.this.name
  collection = each.key
  field      = each.value
  ttl_config {}
}

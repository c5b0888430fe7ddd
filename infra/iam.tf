# One identity for each function, with the roles of what the manifest says it uses, and one that calls them.

locals {
  # What a use means in roles: on the project, or (files) on the bucket. Secrets and topics have theirs in their files.
  project_roles = {
    routes = "roles/datastore.viewer"
    state  = "roles/datastore.user"
    vertex = "roles/aiplatform.user"
  }
  bucket_roles = {
    files    = "roles/storage.objectUser"
    datasets = "roles/storage.objectViewer"
  }
  of_database = ["routes", "state"]
  uses        = flatten([for name, function in local.functions : [for use in function.uses : { function = name, use = use }]])
}

resource "google_service_account" "functions" {
  for_each     = local.functions
  project      = var.project
  account_id   = local.names[each.key]
  display_name = "The ${each.key} function"
}

resource "google_project_iam_member" "uses" {
  for_each = { for pair in local.uses : "${pair.function}.${pair.use}" => pair if contains(keys(local.project_roles), pair.use) }
  project  = var.project
  role     = local.project_roles[each.value.use]
  member   = google_service_account.functions[each.value.function].member

  dynamic "condition" {
    for_each = contains(local.of_database, each.value.use) ? [google_firestore_database.this.id] : []
    content {
      title      = "tuneway-database"
      expression = "resource.name == \"${condition.value}\""
    }
  }
}

# Calling a model, and looking once at what an endpoint speaks: nothing that changes anything.
resource "google_project_iam_custom_role" "models" {
  project     = var.project
  role_id     = "${replace(var.name, "-", "_")}_models"
  title       = "Call models (${var.name})"
  permissions = ["aiplatform.endpoints.get", "aiplatform.endpoints.predict"]
}

resource "google_project_iam_member" "models" {
  for_each = toset([for pair in local.uses : pair.function if pair.use == "models"])
  project  = var.project
  role     = google_project_iam_custom_role.models.id
  member   = google_service_account.functions[each.key].member
}

resource "google_storage_bucket_iam_member" "uses" {
  for_each = { for pair in local.uses : "${pair.function}.${pair.use}" => pair if contains(keys(local.bucket_roles), pair.use) }
  bucket   = google_storage_bucket.files.name
  role     = local.bucket_roles[each.value.use]
  member   = google_service_account.functions[each.value.function].member
}

# Buckets of others: datasets for what tunes, media for what answers.
resource "google_storage_bucket_iam_member" "reads" {
  for_each = {
    for pair in setunion(
      setproduct([for pair in local.uses : pair.function if pair.use == "files"], var.dataset_buckets),
      setproduct([for pair in local.uses : pair.function if pair.use == "media"], var.media_buckets),
    ) : join(".", pair) => pair
  }
  bucket = each.value[1]
  role   = "roles/storage.objectViewer"
  member = google_service_account.functions[each.value[0]].member
}

resource "google_storage_bucket_iam_member" "agents" {
  for_each = var.tuning_agents
  bucket   = google_storage_bucket.files.name
  role     = "roles/storage.objectUser"
  member   = "serviceAccount:${each.key}"
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  for_each = { for pair in setproduct(keys(local.http), var.public ? ["allUsers"] : var.members) : join(" ", pair) => pair }
  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.this[each.value[0]].name
  role     = "roles/run.invoker"
  member   = each.value[1]
}

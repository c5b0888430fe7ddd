# The identity by which Pub/Sub, Eventarc and Cloud Scheduler call; the platform's functions take no other.

resource "google_service_account" "caller" {
  project      = var.project
  account_id   = "${var.name}-caller"
  display_name = "Calls the ${var.name} functions: topics, objects and the scheduler's beat"
}

resource "google_cloud_run_v2_service_iam_member" "caller" {
  for_each = local.platform
  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.this[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.caller.member
}

# Pub/Sub signs its calls as this identity.
resource "google_service_account_iam_member" "pubsub_signs" {
  service_account_id = google_service_account.caller.name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = "serviceAccount:service-${local.agents}gcp-sa-pubsub.iam.gserviceaccount.com"
  depends_on         = [google_project_service.this]
}

resource "google_project_iam_member" "caller_receives" {
  for_each = length(local.watching) > 0 ? toset(["roles/eventarc.eventReceiver"]) : toset([])
  project  = var.project
  role     = each.key
  member   = google_service_account.caller.member
}

data "google_storage_project_service_account" "this" {
  project    = var.project
  depends_on = [google_project_service.this]
}

# Cloud Storage tells Eventarc of objects through a topic.
resource "google_project_iam_member" "storage_publishes" {
  for_each = length(local.watching) > 0 ? toset(["roles/pubsub.publisher"]) : toset([])
  project  = var.project
  role     = each.key
  member   = data.google_storage_project_service_account.this.member
}

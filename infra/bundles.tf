# What is deployed: one zip for each function, named by its content, so that equal code is never deployed twice.

locals {
  bundles = coalesce(var.bundles, "${path.module}/../dist")
  zips    = { for name in keys(local.functions) : name => "${local.bundles}/${name}.zip" }
}

resource "google_storage_bucket" "bundles" {
  project                     = var.project
  name                        = "${var.project}-${var.name}-bundles"
  location                    = var.region
  labels                      = local.labels
  force_destroy               = true # every bundle can be made again from its commit
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = 0
  }
  dynamic "encryption" {
    for_each = var.kms_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }
  depends_on = [google_kms_crypto_key_iam_member.agents]
}

resource "google_storage_bucket_object" "bundles" {
  for_each = local.zips
  bucket   = google_storage_bucket.bundles.name
  name     = "${each.key}-${filesha256(each.value)}.zip"
  source   = each.value
}

# Images are built into a repository of our own: the platform's would stay, and bill, after the last function is gone.
resource "google_artifact_registry_repository" "images" {
  project       = var.project
  location      = var.region
  repository_id = "${var.name}-functions"
  description   = "Images of the ${var.name} functions, made by Cloud Build."
  format        = "DOCKER"
  labels        = local.labels
  kms_key_name  = var.kms_key

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      tag_state  = "ANY"
      older_than = "2592000s"
    }
  }
  depends_on = [google_project_service.this, google_kms_crypto_key_iam_member.agents]
}

resource "google_service_account" "build" {
  project      = var.project
  account_id   = "${var.name}-build"
  display_name = "Builds the ${var.name} functions"
}

resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project
  location   = var.region
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

# The platform copies a bundle into a bucket of its own (gcf-v2-sources-…) before it builds it.
resource "google_project_iam_member" "build_reads" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member
  condition {
    title      = "${var.name}-sources"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-\") || resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.bundles.name}\")"
  }
}

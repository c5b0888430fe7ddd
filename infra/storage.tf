# The bucket of uploads, of what jobs make of them, and of what is linted by itself.

resource "google_storage_bucket" "files" {
  project                     = var.project
  name                        = "${var.project}-${var.name}"
  location                    = var.region
  labels                      = local.labels
  force_destroy               = !var.deletion_protection
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # What is deleted by a caller is kept for a week in case of a mistake; without protection nothing stays, and bills.
  soft_delete_policy {
    retention_duration_seconds = var.deletion_protection ? 604800 : 0
  }
  # Datasets are read for a few weeks, then kept for lineage.
  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
    condition {
      age                   = 60
      matches_prefix        = ["files/"]
      matches_storage_class = ["STANDARD"]
    }
  }
  # An upload that was cut off bills like a file, and nobody sees it.
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }
  dynamic "encryption" {
    for_each = var.kms_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }
  depends_on = [google_kms_crypto_key_iam_member.agents]
}

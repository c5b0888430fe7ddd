# Where a key is given: the service agents that encrypt with it. The key is made, rotated and kept elsewhere.

locals {
  encrypting = var.kms_key == null ? toset([]) : toset(concat(
    [
      "gcf-admin-robot", "gcp-sa-artifactregistry", "gcp-sa-firestore", "gcp-sa-pubsub", "gcp-sa-secretmanager",
      "gs-project-accounts", "serverless-robot-prod",
    ],
    length(local.watching) > 0 ? ["gcp-sa-eventarc"] : [],
  ))
}

resource "google_kms_crypto_key_iam_member" "agents" {
  for_each      = local.encrypting
  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${local.agents}${each.key}.iam.gserviceaccount.com"
  depends_on    = [google_project_service.this]
}

# Secrets without values: their values are added by hand (see the output next_steps), so that no state ever holds one.

locals {
  secrets = toset(concat(
    [for name, vendor in var.vendors : name if vendor.secret],
    var.settings.entra_secret ? ["entra"] : [],
    var.settings.aws_secret ? ["aws"] : [],
    var.settings.webhook_secret ? ["webhooks"] : [],
  ))
  references = { for name in local.secrets : name => "projects/${var.project}/secrets/${var.name}-${name}/versions/latest" }
  readers    = [for name, function in local.functions : name if contains(function.uses, "secrets")]
}

resource "google_secret_manager_secret" "this" {
  for_each  = local.secrets
  project   = var.project
  secret_id = "${var.name}-${each.key}"
  labels    = local.labels

  replication {
    user_managed {
      replicas {
        location = var.region
        dynamic "customer_managed_encryption" {
          for_each = var.kms_key[*]
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }
  depends_on = [google_project_service.this, google_kms_crypto_key_iam_member.agents]
}

resource "google_secret_manager_secret_iam_member" "own" {
  for_each  = { for pair in setproduct(local.readers, local.secrets) : "${pair[0]}.${pair[1]}" => pair }
  project   = var.project
  secret_id = google_secret_manager_secret.this[each.value[1]].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.functions[each.value[0]].member
}

resource "google_secret_manager_secret_iam_member" "environment" {
  for_each  = { for pair in setproduct(local.readers, values(var.secret_environment)) : "${pair[0]}.${pair[1]}" => pair }
  project   = var.project
  secret_id = each.value[1]
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.functions[each.value[0]].member
}

resource "google_secret_manager_secret_iam_member" "spans" {
  for_each  = { for pair in setproduct(keys(local.functions), values(local.spans_secrets)) : join(".", pair) => pair }
  project   = var.project
  secret_id = each.value[1]
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.functions[each.value[0]].member
}

resource "google_secret_manager_secret_iam_member" "files" {
  for_each = {
    for pair in setproduct(keys(local.functions), keys(var.files)) :
    join(".", pair) => pair if contains(local.functions[pair[0]].settings, pair[1])
  }
  project   = var.project
  secret_id = var.files[each.value[1]]
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.functions[each.value[0]].member
}

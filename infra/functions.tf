# Every function of the manifest, as it says.

resource "google_cloudfunctions2_function" "this" {
  for_each     = local.functions
  project      = var.project
  location     = var.region
  name         = local.names[each.key]
  description  = "tuneway: ${each.key}"
  labels       = local.labels
  kms_key_name = var.kms_key

  build_config {
    runtime           = local.runtime
    entry_point       = each.key
    docker_repository = google_artifact_registry_repository.images.id
    service_account   = google_service_account.build.id
    source {
      storage_source {
        bucket     = google_storage_bucket.bundles.name
        object     = google_storage_bucket_object.bundles[each.key].name
        generation = google_storage_bucket_object.bundles[each.key].generation
      }
    }
  }

  service_config {
    available_memory                 = each.value.memory
    available_cpu                    = tostring(each.value.cpu)
    timeout_seconds                  = each.value.timeout
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = try(var.instances[each.key].min, 0)
    max_instance_count               = try(var.instances[each.key].max, 20)
    ingress_settings                 = local.ingress[each.value.callers]
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.functions[each.key].email
    environment_variables            = local.environment[each.key]

    dynamic "secret_environment_variables" {
      for_each = merge(contains(each.value.uses, "secrets") ? var.secret_environment : {}, local.spans_secrets)
      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = secret_environment_variables.value
        version    = "latest"
      }
    }
    dynamic "secret_volumes" {
      for_each = { for name, secret in var.files : name => secret if contains(each.value.settings, name) }
      content {
        mount_path = local.folders[secret_volumes.key]
        project_id = var.project
        secret     = secret_volumes.value
        versions {
          version = "latest"
          path    = "file.json"
        }
      }
    }
  }

  # Eventarc has the only way from an object to a function; topics are pushed, see pubsub.tf.
  dynamic "event_trigger" {
    for_each = each.value.trigger.type == "storage" ? [each.value.trigger.event] : []
    content {
      trigger_region        = var.region
      event_type            = event_trigger.value
      service_account_email = google_service_account.caller.email
      retry_policy          = "RETRY_POLICY_RETRY"
      event_filters {
        attribute = "bucket"
        value     = google_storage_bucket.files.name
      }
    }
  }

  depends_on = [
    google_project_service.this,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_reads,
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.caller_receives,
    google_project_iam_member.storage_publishes,
    google_kms_crypto_key_iam_member.agents,
    google_secret_manager_secret_iam_member.environment,
    google_secret_manager_secret_iam_member.spans,
    google_secret_manager_secret_iam_member.files,
  ]
}

locals {
  # Pub/Sub, Eventarc and Cloud Scheduler of the same project count as internal.
  ingress = {
    platform = "ALLOW_INTERNAL_ONLY"
    public   = var.hostname != null ? "ALLOW_INTERNAL_AND_GCLB" : var.internal ? "ALLOW_INTERNAL_ONLY" : "ALLOW_ALL"
  }
  urls = { for name, function in google_cloudfunctions2_function.this : name => function.service_config[0].uri }
}

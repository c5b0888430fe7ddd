# Topics of the manifest, and one push subscription for each function that takes one.

resource "google_pubsub_topic" "this" {
  for_each     = local.topics
  project      = var.project
  name         = each.key # as the code names it: docs/deploy.md says why there is no prefix
  labels       = local.labels
  kms_key_name = var.kms_key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
  depends_on = [google_project_service.this, google_kms_crypto_key_iam_member.agents]
}

resource "google_pubsub_subscription" "this" {
  for_each = local.subscriptions
  project  = var.project
  name     = each.key
  topic    = google_pubsub_topic.this[each.value.trigger.topic].id
  labels   = local.labels

  # For a push this is how long a call may take: longer than the function's own limit, so that no two run at once.
  ack_deadline_seconds = min(600, each.value.timeout + 30)
  # What nobody can take is kept for long enough to be noticed; a subscription never ends by itself.
  message_retention_duration = each.value.trigger.topic == local.dead_letters ? "2678400s" : "604800s"
  expiration_policy {
    ttl = ""
  }
  push_config {
    # The path tells the functions framework the topic, for the event's source.
    push_endpoint = "${local.urls[each.value.function]}/${google_pubsub_topic.this[each.value.trigger.topic].id}"
    oidc_token {
      service_account_email = google_service_account.caller.email
      audience              = local.urls[each.value.function]
    }
  }
  retry_policy {
    minimum_backoff = "${local.manifest.retry.min_backoff}s"
    maximum_backoff = "${local.manifest.retry.max_backoff}s"
  }
  # Nothing comes after the dead letters: they are tried until they are taken.
  dynamic "dead_letter_policy" {
    for_each = each.value.trigger.topic == local.dead_letters ? [] : [local.manifest.retry.max_attempts]
    content {
      dead_letter_topic     = google_pubsub_topic.this[local.dead_letters].id
      max_delivery_attempts = dead_letter_policy.value
    }
  }
  depends_on = [google_cloud_run_v2_service_iam_member.caller]
}

# Pub/Sub itself moves what failed: it must be able to publish there, and to acknowledge here.
resource "google_pubsub_topic_iam_member" "buries" {
  project = var.project
  topic   = google_pubsub_topic.this[local.dead_letters].name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${local.agents}gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_subscription_iam_member" "forwards" {
  for_each     = { for name, subscription in local.subscriptions : name => subscription if subscription.trigger.topic != local.dead_letters }
  project      = var.project
  subscription = google_pubsub_subscription.this[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = "serviceAccount:service-${local.agents}gcp-sa-pubsub.iam.gserviceaccount.com"
}

# What a function publishes, by the manifest.
resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = {
    for pair in flatten([for name, function in local.functions : [for topic in function.publishes : { function = name, topic = topic }]]) :
    "${pair.function}.${pair.topic}" => pair
  }
  project = var.project
  topic   = google_pubsub_topic.this[each.value.topic].name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.functions[each.value.function].member
}

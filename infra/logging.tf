# What the logs are counted for, and where usage goes once a function takes it.

locals {
  of_functions = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^${var.name}-\""

  # Each is one counter or, with a value, one distribution. Lines: shared/tuneway/edge/telemetry/lines.py.
  metrics = {
    cost_usd = {
      about  = "What answers cost, in US dollars, where a price is known."
      filter = "jsonPayload.message=\"request\" AND jsonPayload.cost_usd>0"
      value  = "EXTRACT(jsonPayload.cost_usd)"
      labels = { model = "EXTRACT(jsonPayload.\"gen_ai.request.model\")" }
    }
    tokens_out = {
      about  = "Tokens that models answered with."
      filter = "jsonPayload.message=\"request\" AND jsonPayload.\"gen_ai.usage.output_tokens\">0"
      value  = "EXTRACT(jsonPayload.\"gen_ai.usage.output_tokens\")"
      labels = { model = "EXTRACT(jsonPayload.\"gen_ai.request.model\")" }
    }
    dead_letters = {
      about  = "Messages that no handler could take."
      filter = "severity=ERROR AND jsonPayload.message:\"Gave up on a message of\""
      value  = null
      labels = {}
    }
    jobs_waiting = {
      about  = "Jobs that could not go on: the provider or the bus did not answer as they should."
      filter = "severity=WARNING AND (jsonPayload.message:\"stays as it is for now\" OR jsonPayload.message:\"waits for the next tick\")"
      value  = null
      labels = {}
    }
    jobs_still = {
      about  = "Beats at which some job had not moved, though nobody but tuneway had to move it."
      filter = "severity=WARNING AND jsonPayload.message:\"jobs have not moved for ten minutes\""
      value  = null
      labels = {}
    }
    unforeseen = {
      about  = "Errors with a stack: nothing in tuneway expected them."
      filter = "severity>=ERROR AND (jsonPayload.stack_trace:* OR textPayload:\"Traceback\")"
      value  = null
      labels = {}
    }
  }
}

resource "google_logging_metric" "this" {
  for_each        = local.metrics
  project         = var.project
  name            = "${var.name}/${each.key}"
  description     = each.value.about
  filter          = "${local.of_functions} AND ${each.value.filter}"
  value_extractor = each.value.value

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = each.value.value == null ? "INT64" : "DISTRIBUTION"
    unit        = "1"
    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }
  label_extractors = each.value.labels

  dynamic "bucket_options" {
    for_each = each.value.value[*]
    content {
      exponential_buckets {
        num_finite_buckets = 64
        growth_factor      = 2
        scale              = 0.000001
      }
    }
  }
  depends_on = [google_project_service.this]
}

# Usage rides on the one line that each request logs, so recording it costs a request nothing.
resource "google_logging_project_sink" "usage" {
  for_each               = setintersection(local.topics, ["usage-recorded"])
  project                = var.project
  name                   = "${var.name}-${each.key}"
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.this[each.key].id}"
  filter                 = "${local.of_functions} AND jsonPayload.message=\"request\" AND jsonPayload.key:*"
  unique_writer_identity = true
}

resource "google_pubsub_topic_iam_member" "usage" {
  for_each = google_logging_project_sink.usage
  project  = var.project
  topic    = google_pubsub_topic.this[each.key].name
  role     = "roles/pubsub.publisher"
  member   = each.value.writer_identity
}

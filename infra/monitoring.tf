# Alerts: a question in PromQL each, and as its text the runbook of the same name.

locals {
  services = "monitored_resource=\"cloud_run_revision\",service_name=~\"${var.name}-.*\""
  doors    = "monitored_resource=\"cloud_run_revision\",service_name=~\"${join("|", [for name in keys(local.http) : local.names[name]])}\""
  beats    = "monitored_resource=\"cloud_run_revision\",service_name=~\"${join("|", [for name in keys(local.scheduled) : local.names[name]])}\""
  pushes   = "monitored_resource=\"pubsub_subscription\",subscription_id=~\"${join("|", [for name in keys(local.subscriptions) : replace(name, ".", "[.]")])}\""
  # A log-based metric may belong to more than one kind of resource, so that PromQL must be told which.
  logs   = "monitored_resource=\"cloud_run_revision\""
  logged = "logging_googleapis_com:user_${replace(var.name, "-", "_")}"

  alerts = {
    errors = {
      says  = "${var.alerts.error_share * 100} % of a function's calls fail"
      asks  = "sum by (service_name) (rate(run_googleapis_com:request_count{${local.services},response_code_class=\"5xx\"}[10m])) / sum by (service_name) (rate(run_googleapis_com:request_count{${local.services}}[10m])) > ${var.alerts.error_share}"
      lasts = "600s"
    }
    crashes = {
      says  = "Errors that nothing expected"
      asks  = "sum(increase(${local.logged}_unforeseen{${local.logs}}[10m])) > 0"
      lasts = "0s"
    }
    latency = {
      says  = "One answer in twenty takes longer than ${var.alerts.latency_seconds} s"
      asks  = "histogram_quantile(0.95, sum by (service_name, le) (rate(run_googleapis_com:request_latencies_bucket{${local.doors}}[10m]))) > ${var.alerts.latency_seconds * 1000}"
      lasts = "600s"
    }
    dead_letters = {
      says  = "A message was given up"
      asks  = "sum(increase(${local.logged}_dead_letters{${local.logs}}[10m])) > 0 or sum(increase(pubsub_googleapis_com:subscription_dead_letter_message_count{${local.pushes}}[10m])) > 0"
      lasts = "0s"
    }
    stuck_jobs = {
      # Of one job or a thousand: some beat in every ten minutes finds one that does not move, or that nobody can be asked about.
      says  = "Jobs have been stuck for half an hour"
      asks  = "sum(increase(${local.logged}_jobs_still{${local.logs}}[10m])) > 0 or sum(increase(${local.logged}_jobs_waiting{${local.logs}}[10m])) > 0"
      lasts = "1200s"
    }
    backlog = {
      says  = "A message has been waiting for ${var.alerts.backlog_seconds} s"
      asks  = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{${local.pushes}}) > ${var.alerts.backlog_seconds}"
      lasts = "300s"
    }
    beat = {
      says  = "The scheduler's beat has stopped"
      asks  = "absent(sum(increase(run_googleapis_com:request_count{${local.beats},response_code_class=\"2xx\"}[10m])) > 0)"
      lasts = "300s"
    }
    spend = {
      says  = "Answers of the last day cost more than ${coalesce(var.alerts.spend_usd_day, 0)} USD"
      asks  = "sum(increase(${local.logged}_cost_usd_sum{${local.logs}}[1d])) > ${coalesce(var.alerts.spend_usd_day, 0)}"
      lasts = "0s"
    }
  }
}

resource "google_monitoring_notification_channel" "emails" {
  for_each     = var.alerts.emails
  project      = var.project
  display_name = "${var.name}: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }
  depends_on   = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "this" {
  for_each              = { for name, alert in local.alerts : name => alert if name != "spend" || var.alerts.spend_usd_day != null }
  project               = var.project
  display_name          = "${var.name}: ${each.value.says}"
  combiner              = "OR"
  severity              = contains(["errors", "beat", "dead_letters"], each.key) ? "CRITICAL" : "WARNING"
  notification_channels = [for channel in google_monitoring_notification_channel.emails : channel.id]
  user_labels           = local.labels

  conditions {
    display_name = each.value.says
    condition_prometheus_query_language {
      query               = each.value.asks
      duration            = each.value.lasts
      evaluation_interval = "60s"
    }
  }
  alert_strategy {
    auto_close = "86400s"
  }
  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: ${each.key}"
    content   = file("${path.module}/../docs/runbooks/${each.key}.md")
  }
  depends_on = [google_logging_metric.this]
}

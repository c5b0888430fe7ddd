# The beat: what the manifest puts on a schedule.

resource "google_cloud_scheduler_job" "this" {
  for_each         = local.scheduled
  project          = var.project
  region           = var.region
  name             = local.names[each.key]
  description      = "Calls ${each.key}."
  schedule         = each.value.trigger.cron
  time_zone        = "Etc/UTC"
  attempt_deadline = "${max(15, each.value.timeout)}s"

  # The next beat is the retry: it finds whatever this one left.
  retry_config {
    retry_count = 0
  }
  http_target {
    http_method = "POST"
    uri         = "${local.urls[each.key]}${each.value.trigger.path}"
    oidc_token {
      service_account_email = google_service_account.caller.email
      audience              = local.urls[each.key]
    }
  }
  depends_on = [google_project_service.this, google_cloud_run_v2_service_iam_member.caller]
}

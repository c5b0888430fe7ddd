# The bill of the whole project, where its billing account is named: training is paid there, not by requests.

resource "google_billing_budget" "this" {
  for_each        = toset(var.alerts.billing_account[*])
  billing_account = each.key
  display_name    = "${var.name} in ${var.project}"

  budget_filter {
    projects        = ["projects/${data.google_project.this.number}"]
    calendar_period = "MONTH"
  }
  amount {
    specified_amount {
      currency_code = "USD"
      units         = tostring(floor(var.alerts.budget_usd))
    }
  }
  threshold_rules {
    threshold_percent = 0.5
  }
  threshold_rules {
    threshold_percent = 1
  }
  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }
  all_updates_rule {
    monitoring_notification_channels = [for channel in google_monitoring_notification_channel.emails : channel.id]
  }
  depends_on = [google_project_service.this]
}

# One page: what comes in, how it goes, what waits and what it costs.

locals {
  charts = [
    { title = "Requests a second", asks = "sum by (service_name) (rate(run_googleapis_com:request_count{${local.services}}[5m]))" },
    { title = "Failed requests a second", asks = "sum by (service_name) (rate(run_googleapis_com:request_count{${local.services},response_code_class!=\"2xx\"}[5m]))" },
    { title = "Time to answer, median (ms)", asks = "histogram_quantile(0.5, sum by (service_name, le) (rate(run_googleapis_com:request_latencies_bucket{${local.doors}}[5m])))" },
    { title = "Time to answer, 95 in 100 (ms)", asks = "histogram_quantile(0.95, sum by (service_name, le) (rate(run_googleapis_com:request_latencies_bucket{${local.doors}}[5m])))" },
    { title = "Instances", asks = "sum by (service_name) (run_googleapis_com:container_instance_count{${local.services}})" },
    { title = "Memory, 95 in 100 (share)", asks = "histogram_quantile(0.95, sum by (service_name, le) (rate(run_googleapis_com:container_memory_utilizations_bucket{${local.services}}[5m])))" },
    { title = "Messages that wait", asks = "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{${local.pushes}})" },
    { title = "Oldest message that waits (s)", asks = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{${local.pushes}})" },
    { title = "Dead letters", asks = "sum(increase(${local.logged}_dead_letters{${local.logs}}[1h]))" },
    { title = "Jobs that could not go on", asks = "sum(increase(${local.logged}_jobs_waiting{${local.logs}}[1h]))" },
    { title = "Cost of answers, a day (USD)", asks = "sum by (model) (increase(${local.logged}_cost_usd_sum{${local.logs}}[1d]))" },
    { title = "Tokens answered a second", asks = "sum by (model) (rate(${local.logged}_tokens_out_sum{${local.logs}}[5m]))" },
  ]
}

resource "google_monitoring_dashboard" "this" {
  project = var.project
  dashboard_json = jsonencode({
    displayName = var.name
    mosaicLayout = {
      columns = 48
      tiles = [
        for position, chart in local.charts : {
          xPos   = position % 2 * 24
          yPos   = floor(position / 2) * 12
          width  = 24
          height = 12
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{ plotType = "LINE", timeSeriesQuery = { prometheusQuery = chart.asks } }]
            }
          }
        }
      ]
    }
  })
  depends_on = [google_project_service.this, google_logging_metric.this]
}

# What each function is told: of all settings, those that functions/manifest.yaml says it reads. Absent ones stay unset.

locals {
  settings = {
    project                     = var.project
    location                    = var.region
    database                    = var.database
    bucket                      = google_storage_bucket.files.name
    watch_prefix                = "gs://${google_storage_bucket.files.name}/${var.settings.watch}"
    vendors                     = length(var.vendors) > 0 ? jsonencode(local.vendors) : null
    allow_retired               = length(var.settings.allow_retired) > 0 ? jsonencode(var.settings.allow_retired) : null
    max_cost_usd                = var.settings.max_cost_usd == null ? null : tostring(var.settings.max_cost_usd)
    tuning_quotas               = length(var.settings.tuning_quotas) > 0 ? jsonencode(var.settings.tuning_quotas) : null
    private_sources             = var.settings.private_sources ? "true" : null
    deploy_open_models          = var.settings.deploy_open_models
    max_deployment_usd_per_hour = var.settings.max_deployment_usd_per_hour == null ? null : tostring(var.settings.max_deployment_usd_per_hour)
    prices_file                 = try("${local.folders["prices_file"]}/file.json", null)
    catalogue_file              = try("${local.folders["catalogue_file"]}/file.json", null)
    serving_file                = try("${local.folders["serving_file"]}/file.json", null)
    entra_tenant                = var.settings.entra_tenant
    entra_client                = var.settings.entra_client
    entra_secret                = try(local.references["entra"], null)
    aws_role                    = var.settings.aws_role
    aws_secret                  = try(local.references["aws"], null)
    aws_region                  = var.settings.aws_region
    webhook_secret              = try(local.references["webhooks"], null)
    aws_bucket                  = var.settings.aws_bucket
    bedrock_role                = var.settings.bedrock_role
  }

  # An installation's own files are secrets too: the only files that a function can be given beside its code.
  folders = { for name in keys(var.files) : name => "/etc/tuneway/${name}" }

  # The secret of a vendor is named, never given: its value is in no state, plan or variable.
  vendors = {
    for name, vendor in var.vendors : name => {
      for field, value in merge(vendor, { secret = try(local.references[name], null) }) : field => value if value != null
    }
  }

  environment = {
    for name, function in local.functions : name => merge(
      {
        for setting in function.settings :
        "TUNEWAY_${upper(setting)}" => local.settings[setting] if local.settings[setting] != null
      },
      # The framework's threads: its default, four to a CPU, would leave requests waiting that Cloud Run let in.
      try(function.async, false) ? {} : { THREADS = tostring(function.concurrency) },
      local.spans,
    )
  }

  # OpenTelemetry's own variables, the same for all; the headers may hold a key, so they come from a secret.
  spans = {
    for name, value in {
      OTEL_EXPORTER_OTLP_ENDPOINT = try(var.otlp.endpoint, null)
      OTEL_TRACES_SAMPLER         = try(var.otlp.sampler, null)
    } : name => value if value != null
  }
  spans_secrets = { for secret in try(var.otlp.headers_secret, null)[*] : "OTEL_EXPORTER_OTLP_HEADERS" => secret }
}

# One hostname for all HTTP functions, when there is one. It bills while idle: a forwarding rule costs by the hour.

locals {
  balanced = { for name, function in local.http : name => function if var.hostname != null }
  balancer = toset(var.hostname[*])
}

resource "google_compute_region_network_endpoint_group" "this" {
  for_each              = local.balanced
  project               = var.project
  region                = var.region
  name                  = local.names[each.key]
  network_endpoint_type = "SERVERLESS"
  cloud_run {
    service = google_cloudfunctions2_function.this[each.key].name
  }
}

resource "google_compute_backend_service" "this" {
  for_each              = local.balanced
  project               = var.project
  name                  = local.names[each.key]
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  backend {
    group = google_compute_region_network_endpoint_group.this[each.key].id
  }
}

# Every path of the manifest, and all below it.
resource "google_compute_url_map" "this" {
  for_each        = local.balancer
  project         = var.project
  name            = var.name
  default_service = google_compute_backend_service.this["predict"].id

  host_rule {
    hosts        = [each.key]
    path_matcher = "functions"
  }
  path_matcher {
    name            = "functions"
    default_service = google_compute_backend_service.this["predict"].id

    dynamic "path_rule" {
      for_each = local.balanced
      content {
        paths   = flatten([for path in path_rule.value.trigger.paths : path == "/" ? ["/"] : [path, "${path}/*"]])
        service = google_compute_backend_service.this[path_rule.key].id
      }
    }
  }
}

resource "google_compute_managed_ssl_certificate" "this" {
  for_each = local.balancer
  project  = var.project
  name     = "${var.name}-${substr(sha256(each.key), 0, 8)}" # a certificate cannot change its name, only make way

  managed {
    domains = [each.key]
  }
  lifecycle {
    create_before_destroy = true
  }
  depends_on = [google_project_service.this]
}

resource "google_compute_ssl_policy" "this" {
  for_each        = local.balancer
  project         = var.project
  name            = var.name
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
  depends_on      = [google_project_service.this]
}

resource "google_compute_target_https_proxy" "this" {
  for_each         = local.balancer
  project          = var.project
  name             = var.name
  url_map          = google_compute_url_map.this[each.key].id
  ssl_certificates = [google_compute_managed_ssl_certificate.this[each.key].id]
  ssl_policy       = google_compute_ssl_policy.this[each.key].id
}

resource "google_compute_global_address" "this" {
  for_each   = local.balancer
  project    = var.project
  name       = var.name
  depends_on = [google_project_service.this]
}

resource "google_compute_global_forwarding_rule" "this" {
  for_each              = local.balancer
  project               = var.project
  name                  = var.name
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.this[each.key].id
  port_range            = "443"
  target                = google_compute_target_https_proxy.this[each.key].id
  labels                = local.labels
}

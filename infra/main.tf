# What everything else is made from: the manifest of the functions, and the APIs they need.

data "google_project" "this" {
  project_id = var.project
}

locals {
  manifest  = yamldecode(file("${path.module}/../functions/manifest.yaml"))
  functions = local.manifest.functions
  runtime   = "python313"

  # my_function is tuneway-my-function in the cloud, where no underscore is allowed.
  names = { for name in keys(local.functions) : name => "${var.name}-${replace(name, "_", "-")}" }

  http       = { for name, function in local.functions : name => function if function.trigger.type == "http" }
  scheduled  = { for name, function in local.functions : name => function if function.trigger.type == "schedule" }
  subscribed = { for name, function in local.functions : name => function if function.trigger.type == "pubsub" }
  watching   = { for name, function in local.functions : name => function if function.trigger.type == "storage" }
  platform   = toset([for name, function in local.functions : name if function.callers == "platform"])

  # A subscription says which topic and which function: a dead letter is sent again by this name.
  subscriptions = { for name, function in local.subscribed : "${function.trigger.topic}.${name}" => merge(function, { function = name }) }
  topics        = toset(concat(local.manifest.topics, [for function in local.subscribed : function.trigger.topic]))
  dead_letters  = "dead-letters"

  labels = merge(var.labels, { app = var.name })
  agents = "${data.google_project.this.number}@" # service agents are service-<number>@<service>
}

locals {
  apis = toset(concat(
    [
      "aiplatform", "artifactregistry", "cloudbuild", "cloudfunctions", "cloudscheduler", "firestore", "iam", "logging",
      "monitoring", "pubsub", "run", "secretmanager", "storage",
    ],
    length(local.watching) > 0 ? ["eventarc"] : [],
    var.hostname != null ? ["compute"] : [],
    var.kms_key != null ? ["cloudkms"] : [],
    var.alerts.billing_account != null ? ["billingbudgets"] : [],
  ))
}

resource "google_project_service" "this" {
  for_each           = local.apis
  project            = var.project
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false # others in the project may need it, and an API that is on costs nothing
}

variable "project" {
  description = "The project that everything is created in."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "A project's id has 6 to 30 small letters, digits and dashes; its number and its display name do not do."
  }
}

variable "region" {
  description = "Where everything runs and lies; also the location of Vertex AI where a request names none."
  type        = string
  default     = "us-central1"
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Name one region, such as europe-west4; multi-regions and zones do not run functions."
  }
}

variable "name" {
  description = "What the names of all resources begin with."
  type        = string
  default     = "tuneway"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,13}[a-z0-9]$", var.name))
    error_message = "Use 3 to 15 small letters, digits and dashes: service accounts have no room for more."
  }
}

variable "bundles" {
  description = "The folder into which `tuneway package` wrote one zip for each function; null is dist/ beside this module."
  type        = string
  default     = null
  validation {
    condition = alltrue([
      for name in keys(yamldecode(file("${path.module}/../functions/manifest.yaml")).functions) :
      fileexists("${var.bundles == null ? "${path.module}/../dist" : var.bundles}/${name}.zip")
    ])
    error_message = "A function's zip is missing. Run `tuneway package`, and name its folder as bundles."
  }
}

variable "database" {
  description = "The Firestore database that is created: not one that something else uses."
  type        = string
  default     = "tuneway"
  validation {
    condition     = var.database == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.database))
    error_message = "Use 4 to 63 small letters, digits and dashes, or (default)."
  }
}

variable "vendors" {
  description = "Model vendors outside Vertex AI, by the first part of a model's name; each gets a secret for its key."
  type = map(object({
    base_url    = optional(string)
    region      = optional(string)
    api_version = optional(string)
    secret      = optional(bool, true)
  }))
  default = {}
  validation {
    condition     = alltrue([for name in keys(var.vendors) : can(regex("^[a-z][a-z0-9_]{0,31}$", name))])
    error_message = "A vendor is named as in model names: azure, openai, custom_openai …"
  }
}

variable "settings" {
  description = "What tuneway is told beyond its place. Each function gets those it reads; docs/deploy.md explains them."
  type = object({
    max_cost_usd                = optional(number)
    allow_retired               = optional(list(string), [])
    tuning_quotas               = optional(map(number), {})
    private_sources             = optional(bool, false)
    deploy_open_models          = optional(string, "auto")
    max_deployment_usd_per_hour = optional(number)
    watch                       = optional(string, "datasets/")
    entra_tenant                = optional(string)
    entra_client                = optional(string)
    entra_secret                = optional(bool, false)
    aws_role                    = optional(string)
    aws_secret                  = optional(bool, false)
    webhook_secret              = optional(bool, false)
    aws_region                  = optional(string, "us-east-1")
    aws_bucket                  = optional(string)
    bedrock_role                = optional(string)
  })
  default = {}
  validation {
    condition     = var.settings.max_cost_usd == null ? true : var.settings.max_cost_usd >= 0
    error_message = "max_cost_usd is what one tuning job may cost before somebody has to approve it: 0 or more."
  }
  validation {
    condition     = var.settings.max_deployment_usd_per_hour == null ? true : var.settings.max_deployment_usd_per_hour >= 0
    error_message = "max_deployment_usd_per_hour is what one deployment may cost an hour without an admin: 0 or more."
  }
  validation {
    condition     = contains(["auto", "manual"], var.settings.deploy_open_models)
    error_message = "deploy_open_models is auto, or manual: a tuned open model's machine costs by the hour."
  }
  validation {
    condition     = endswith(var.settings.watch, "/") && !startswith(var.settings.watch, "/")
    error_message = "watch is a folder of the bucket, such as datasets/."
  }
  validation {
    condition     = !(var.settings.aws_secret && var.settings.aws_role != null)
    error_message = "Use either aws_role (no key to keep) or aws_secret."
  }
  validation {
    condition     = (var.settings.entra_tenant == null) == (var.settings.entra_client == null)
    error_message = "entra_tenant and entra_client belong together."
  }
}

variable "instances" {
  description = "How many instances a function keeps warm (min, they bill while idle) and may grow to (max), by function."
  type        = map(object({ min = optional(number, 0), max = optional(number, 20) }))
  default     = {}
  validation {
    condition     = alltrue([for i in values(var.instances) : i.min >= 0 && i.max >= 1 && i.min <= i.max && i.max <= 1000])
    error_message = "0 <= min <= max <= 1000, and max is at least 1."
  }
  validation {
    condition     = alltrue([for name in keys(var.instances) : contains(keys(yamldecode(file("${path.module}/../functions/manifest.yaml")).functions), name)])
    error_message = "instances names a function that is not in functions/manifest.yaml."
  }
}

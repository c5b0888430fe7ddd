# Who may reach an installation, who guards it and what happens when it goes.

variable "public" {
  description = "Let the internet reach the HTTP functions, which check API keys themselves. Where an organization policy forbids that: false, and grant roles/run.invoker to members."
  type        = bool
  default     = true
}

variable "members" {
  description = "Who may call the HTTP functions where they are not public: user:…, group:…, serviceAccount:…"
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for member in var.members : can(regex("^(user|group|serviceAccount|domain|principal|principalSet):.+", member))])
    error_message = "A member has its kind before it, such as group:ml@example.com."
  }
}

variable "internal" {
  description = "Take calls from the project's networks alone (and from the load balancer, when there is a hostname)."
  type        = bool
  default     = false
}

variable "hostname" {
  description = "One name for all HTTP functions, behind an external load balancer, which bills while idle. Null: one URL each."
  type        = string
  default     = null
  validation {
    condition     = var.hostname == null ? true : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.hostname))
    error_message = "A name such as models.example.com, without scheme and path."
  }
}

variable "kms_key" {
  description = "The Cloud KMS key that encrypts what is stored: projects/…/locations/<region>/keyRings/…/cryptoKeys/…"
  type        = string
  default     = null
  validation {
    condition     = var.kms_key == null ? true : can(regex("^projects/[^/]+/locations/${var.region}/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "The key's full name, without a version, and in the region of the installation."
  }
}

variable "dataset_buckets" {
  description = "Other buckets whose objects may be named as datasets."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for bucket in var.dataset_buckets : can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", bucket))])
    error_message = "A bucket is named without gs://."
  }
}

variable "media_buckets" {
  description = "Buckets whose images, sounds and documents a prompt may name by gs://; every holder of a key may then have them read."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for bucket in var.media_buckets : can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", bucket))])
    error_message = "A bucket is named without gs://."
  }
}

variable "tuning_agents" {
  description = "Vertex AI's service agents that read datasets and write checkpoints in the bucket; docs/deploy.md lists them."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for agent in var.tuning_agents : can(regex("^service-[0-9]+@gcp-sa-[a-z-]+\\.iam\\.gserviceaccount\\.com$", agent))])
    error_message = "An agent's address, such as service-123@gcp-sa-aiplatform.iam.gserviceaccount.com."
  }
}

variable "secret_environment" {
  description = "Existing secrets for routes that name env:NAME: the variable and the secret's id in this project."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.secret_environment) : can(regex("^[A-Z][A-Z0-9_]*$", name)) && !startswith(name, "TUNEWAY_")])
    error_message = "Variables are written in capitals; TUNEWAY_ is kept for settings."
  }
}

variable "otlp" {
  description = "An OpenTelemetry collector that takes one span for each request and event, over HTTP: its address, an existing secret with its headers (key=value,key=value), and a sampler. Null: no spans."
  type = object({
    endpoint       = string
    headers_secret = optional(string)
    sampler        = optional(string)
  })
  default = null
  validation {
    condition     = var.otlp == null ? true : can(regex("^https?://[^/]+", var.otlp.endpoint))
    error_message = "An address of OTLP over HTTP, such as https://collector.example:4318; /v1/traces is added to it."
  }
  validation {
    condition     = try(var.otlp.sampler, null) == null ? true : contains(["always_on", "always_off", "parentbased_always_on"], var.otlp.sampler)
    error_message = "sampler is always_on, always_off or parentbased_always_on."
  }
}

variable "files" {
  description = "Existing secrets that hold an installation's own prices_file, catalogue_file or serving_file: the setting and the secret's id."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.files) : contains(["prices_file", "catalogue_file", "serving_file"], name)])
    error_message = "A file is named prices_file, catalogue_file or serving_file."
  }
}

variable "alerts" {
  description = "Who is told, and from when on. The budget needs its billing account."
  type = object({
    emails          = optional(set(string), [])
    error_share     = optional(number, 0.05)
    latency_seconds = optional(number, 30)
    backlog_seconds = optional(number, 3600)
    spend_usd_day   = optional(number)
    billing_account = optional(string)
    budget_usd      = optional(number, 100)
  })
  default = {}
  validation {
    condition     = var.alerts.error_share > 0 && var.alerts.error_share < 1
    error_message = "error_share is a share of the requests, such as 0.05."
  }
  validation {
    condition     = var.alerts.backlog_seconds >= 600
    error_message = "Redelivery alone waits up to 600 seconds; an alert that is sooner would tell of nothing."
  }
}

variable "deletion_protection" {
  description = "Refuse to destroy the database and the files. Off: `terraform destroy` removes all, with nothing kept back."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
  default     = {}
}

output "urls" {
  description = "Where each HTTP function answers: one hostname for all, or one URL each."
  value       = { for name, function in local.http : name => var.hostname != null ? "https://${var.hostname}" : local.urls[name] }
}

output "bucket" {
  description = "The bucket of files; what is put under its watched folder is linted by itself."
  value       = "gs://${google_storage_bucket.files.name}"
}

output "database" {
  description = "The Firestore database."
  value       = google_firestore_database.this.name
}

output "service_accounts" {
  description = "The identity of each function, for grants in other projects and clouds."
  value       = { for name, account in google_service_account.functions : name => account.email }
}

output "identities" {
  description = "The number by which Azure and AWS know each function, for federation without keys."
  value       = { for name, account in google_service_account.functions : name => account.unique_id }
}

output "dns" {
  description = "The A record that the hostname needs before its certificate becomes valid."
  value       = { for name, address in google_compute_global_address.this : name => address.address }
}

output "next_steps" {
  description = "What is left to do by hand."
  value = concat(
    [for name, secret in google_secret_manager_secret.this : "gcloud secrets versions add ${secret.secret_id} --project ${var.project} --data-file=-   # the key of ${name}"],
    [for name, address in google_compute_global_address.this : "Point ${name} at ${address.address} (A record); its certificate takes up to an hour."],
    [
      "The first key: tuneway keys first --project ${var.project} --database ${var.database}",
      "Then prove it: tuneway deploy --check ${var.hostname != null ? "https://${var.hostname}" : local.urls["predict"]} --key <that key>",
    ],
  )
}

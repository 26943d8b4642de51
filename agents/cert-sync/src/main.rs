//! `ocf:kaiwudb:cert-sync`.
fn main() -> std::process::ExitCode {
    agent::run::<cert_sync_agent::CertSync>()
}

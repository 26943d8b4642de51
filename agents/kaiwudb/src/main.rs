//! `ocf:kaiwudb:kaiwudb`.
fn main() -> std::process::ExitCode {
    agent::run::<kaiwudb_agent::Kaiwudb>()
}

//! `ocf:kaiwudb:filesystem`.
fn main() -> std::process::ExitCode {
    agent::run::<filesystem_agent::FileSystem>()
}

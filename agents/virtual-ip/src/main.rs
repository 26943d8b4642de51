//! `ocf:kaiwudb:virtual-ip`.
fn main() -> std::process::ExitCode {
    agent::run::<virtual_ip_agent::VirtualIp>()
}

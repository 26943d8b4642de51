//! `ocf:kaiwudb:drbd-promotable`.
fn main() -> std::process::ExitCode {
    agent::run::<drbd_promotable_agent::DrbdPromotable>()
}

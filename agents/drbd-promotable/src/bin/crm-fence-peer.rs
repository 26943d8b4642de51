//! DRBD's `fence-peer` handler, in place of `crm-fence-peer.9.sh`.
fn main() -> std::process::ExitCode {
    drbd_promotable_agent::fence_peer()
}

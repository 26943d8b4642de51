//! `kaiwudb-ha`, the operator's command.

fn main() -> std::process::ExitCode {
    kaiwudb_ha::main()
}

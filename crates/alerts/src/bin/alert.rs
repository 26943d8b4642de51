//! `/usr/lib/kaiwudb-ha/alert`: the alert agent that Pacemaker calls for every event, as `hacluster`. It leaves the event in the spool and
//! ends; a unit of systemd, or a monitor where there is no systemd, wakes the delivery.

use alerts::{Event, spool};
use ocf::Env;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match spool::leave(Path::new(spool::DIRECTORY), &Event::of(&Env::snapshot())) {
        Ok(()) => ExitCode::SUCCESS,
        // Pacemaker logs it; nothing else comes of it.
        Err(error) => {
            let _ = writeln!(
                std::io::stderr(),
                "{}: {error}; make it again: systemd-tmpfiles --create kaiwudb-ha.conf",
                spool::DIRECTORY
            );
            ExitCode::FAILURE
        }
    }
}

//! `make demo-drbd`: the KWDB guide's whole stack on real DRBD, with our agents, on two virtual machines.

use lab::demo::{Demonstration, main as show};
use lab::{Event, Options, cib};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    show(Ok(Demonstration {
        options: Options::virtual_machines(),
        cib: cib::drbd_ocf(),
        // The server's own failures are the containers' subject; a signal from here does not reach into a virtual machine.
        events: &[Event::Standby, Event::PowerOff],
        interval: Duration::from_millis(100),
        resources: "DRBD, ClusterIP, KaiwuFS and KaiwuDB",
    }))
}

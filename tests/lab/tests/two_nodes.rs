//! The lab itself, for real: needs root and, the first time, a minute or two for the image.
#![allow(clippy::unwrap_used)] // a test, its helpers included

use lab::{Deadline, Lab, Network, Node, Options, cib};
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

fn seconds(seconds: u64) -> Deadline {
    Deadline::after(Duration::from_secs(seconds))
}

fn wait_until(what: &str, deadline: Deadline, yes: impl Fn() -> bool) {
    while !yes() {
        assert!(deadline.pause(Duration::from_millis(20)), "not in time: {what}");
    }
}

/// One cluster for everything that needs one: forming it is what takes the time.
#[test]
fn two_nodes_are_a_cluster_whose_links_and_power_can_fail() {
    let names = ["left".to_owned(), "right".to_owned()];
    let options = Options {
        cluster_names: Some(names.clone()),
        ..Options::default()
    };
    let lab = Lab::up(&options).unwrap();
    lab.cluster().load(&cib::fenced().cluster_names(&names)).unwrap();
    lab.cluster().wait_idle(seconds(60)).unwrap();
    let fence_runs_on = lab
        .cluster()
        .wait_active("Fence", seconds(60))
        .unwrap()
        .cluster_name();
    assert!(names.iter().any(|name| name == fence_runs_on), "{fence_runs_on}");
    let [first, second] = lab.nodes();

    commands_and_files(&lab);
    loss_is_what_was_asked_for(&lab);

    // A dead node is fenced by the other one, boots and is a member again.
    first
        .shell("ip addr add 10.77.0.100/24 dev cluster", seconds(60))
        .unwrap();
    assert!(first.observe().has_virtual_ip);
    let ping = ["ping", "-c", "1", "-W", "1", "10.77.1.11"];
    assert_eq!(second.exec(ping, seconds(60)).unwrap().status, Some(0));
    let silent = connected(&lab, first);
    let died = Instant::now();
    first.power_off().unwrap();
    assert!(!first.is_on());
    let heard = (&silent).read(&mut [0; 1]).map_err(|error| error.kind());
    assert_eq!(heard, Err(ErrorKind::WouldBlock), "the dead node says goodbye");
    assert_eq!(
        second.exec(ping, seconds(60)).unwrap().status,
        Some(1),
        "a dead node answers"
    );
    let error = first.exec(["true"], seconds(1)).unwrap_err();
    assert!(format!("{error:#}").contains("node1 is off"), "{error:#}");
    wait_until("the dead node is fenced", seconds(60), || {
        lab.fence_events().len() == 1
    });
    let event = lab.fence_events().remove(0);
    assert_eq!(
        (event.by.as_deref(), event.action.as_str(), event.target.as_str()),
        (Some("node2"), "reboot", "node1")
    );
    assert!(event.at > died);
    lab.cluster().wait_online(seconds(60)).unwrap();
    assert!(!first.observe().has_virtual_ip, "addresses outlive the power");

    // A cut link makes each node want to kill the other: one of them does, never both.
    let link = lab.link(first, Network::Cluster);
    link.cut().unwrap();
    wait_until("one node is fenced", seconds(60), || {
        lab.fence_events().len() == 2
    });
    assert!(first.is_on() != second.is_on(), "one of them has lost its power");
    seconds(3).pause(Duration::from_secs(3));
    assert_eq!(lab.fence_events().len(), 2, "{:?}", lab.fence_events());
    link.heal().unwrap();
    lab.cluster().wait_online(seconds(60)).unwrap();
}

/// A connection to a process of the node that says nothing; reading from it does not last long.
fn connected(lab: &Lab, node: &Node) -> TcpStream {
    let listen =
        "import socket; s = socket.create_server(('', 9999)); c = s.accept(); c[0].send(b'x'); input()";
    node.exec_ok(
        [
            "systemd-run",
            "--quiet",
            "sh",
            "-c",
            &format!("sleep infinity | python3 -c \"{listen}\""),
        ],
        seconds(60),
    )
    .unwrap();
    let address = SocketAddr::from((node.address(Network::Cluster), 9999));
    // A thread of its own: what has entered the lab's network stays there.
    let connect = || {
        lab.enter_network().unwrap();
        let deadline = seconds(60);
        loop {
            match TcpStream::connect_timeout(&address, Duration::from_secs(5)) {
                Ok(stream) => break stream,
                Err(error) => assert!(deadline.pause(Duration::from_millis(50)), "{error}"),
            }
        }
    };
    let stream = std::thread::scope(|scope| scope.spawn(connect).join()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    (&stream).read_exact(&mut [0; 1]).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    stream
}

fn commands_and_files(lab: &Lab) {
    let [first, second] = lab.nodes();
    assert_eq!(first.exec_ok(["hostname"], seconds(60)).unwrap(), "node1\n");
    assert_eq!(
        second.exec_ok(["crm_node", "--name"], seconds(60)).unwrap(),
        "right\n"
    );
    let output = first
        .exec(["sh", "-c", "echo out; echo err >&2; exit 7"], seconds(60))
        .unwrap();
    assert_eq!(
        (output.status, output.stdout.as_str(), output.stderr.as_str()),
        (Some(7), "out\n", "err\n")
    );
    let error = first
        .exec(["sleep", "60"], Deadline::after(Duration::from_millis(300)))
        .unwrap_err();
    assert!(format!("{error:#}").contains("killed"), "{error:#}");
    wait_until("the command ends with its deadline", seconds(30), || {
        first.exec_ok(["pgrep", "--exact", "sleep"], seconds(60)).is_err()
    });

    first.write_file("/etc/lab/one", "same name, ").unwrap();
    second
        .write_file_with_mode("/etc/lab/one", "another node", 0o600)
        .unwrap();
    assert_eq!(
        first.read_file("/etc/lab/one").unwrap() + &second.read_file("/etc/lab/one").unwrap(),
        "same name, another node"
    );
    assert_eq!(
        second
            .exec_ok(["stat", "--format=%a", "/etc/lab/one"], seconds(60))
            .unwrap(),
        "600\n"
    );

    // What one node writes to the shared disk, the other one reads after it.
    first
        .shell(
            "mount /dev/kaiwudb-data /mnt && echo shared >/mnt/file",
            seconds(60),
        )
        .unwrap();
    assert_eq!(first.observe().mounted_at, [std::path::PathBuf::from("/mnt")]);
    first.shell("umount /mnt", seconds(60)).unwrap();
    assert_eq!(
        second
            .shell(
                "mount /dev/kaiwudb-data /mnt && cat /mnt/file; umount /mnt",
                seconds(60)
            )
            .unwrap(),
        "shared\n"
    );

    // The audit sees what must never be.
    let audit = lab.audit().unwrap();
    for node in lab.nodes() {
        node.shell(
            "mount /dev/kaiwudb-data /mnt; ip addr add 10.77.0.100/32 dev lo",
            seconds(60),
        )
        .unwrap();
    }
    wait_until("the audit sees it", seconds(60), || audit.violations().len() == 2);
    for node in lab.nodes() {
        node.shell("umount /mnt; ip addr del 10.77.0.100/32 dev lo", seconds(60))
            .unwrap();
    }
    let error = audit.finish().unwrap_err().to_string();
    assert!(
        error.contains("mounted on both nodes") && error.contains("virtual IP is on both nodes"),
        "{error}"
    );
}

fn loss_is_what_was_asked_for(lab: &Lab) {
    let [first, second] = lab.nodes();
    let link = lab.link(first, Network::Replication);
    let received = || {
        let ping = ["ping", "-q", "-c", "100", "-i", "0.005", "-W", "1", "10.77.1.11"];
        let text = second.exec(ping, seconds(60)).unwrap().stdout;
        let (count, _) = text.split_once(" received").unwrap();
        count.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(received(), 100);
    link.lossy(50).unwrap();
    assert_eq!(link.loss().unwrap(), 50);
    // A packet and its answer must both get through: one in four does.
    let quarter = received();
    assert!((5..=50).contains(&quarter), "{quarter} of 100 came back");
    link.cut().unwrap();
    assert_eq!((received(), link.loss().unwrap()), (0, 100));
    link.heal().unwrap();
    assert_eq!((received(), link.loss().unwrap()), (100, 0));
    assert!(
        link.lossy(101)
            .unwrap_err()
            .to_string()
            .contains("allowed are 0 to 100")
    );
}

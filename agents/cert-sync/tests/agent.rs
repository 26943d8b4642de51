//! The built agent, as Pacemaker calls it.
#![allow(missing_docs, clippy::unwrap_used)]

mod cluster;

use cluster::support::{Authority, Days, put};
use cluster::{Cluster, NAMES};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

testing::tests![
    a_node_without_any_certificate_serves_with_the_clusters_set,
    no_key_is_on_the_volume_in_clear,
    a_rotation_on_the_serving_node_travels_and_can_be_repeated,
    half_a_rotation_is_told_and_not_published,
    everything_removed_by_mistake_comes_back_by_the_way_out_that_is_told,
    a_forgotten_virtual_ip_is_found_before_the_failover,
    rotated_on_the_standby_by_mistake,
    the_installers_own_set_gives_way,
    the_authkey_changed,
    without_any_authkey,
    a_damaged_bundle_is_replaced_and_kept,
    a_full_volume,
    a_volume_that_is_not_there,
    a_certificate_directory_that_is_a_link,
    a_volume_that_hangs_costs_seconds_and_never_the_resource,
    an_expired_certificate_is_told_and_never_an_error,
    nothing_to_serve_with_is_a_clear_error,
    owners_and_modes_are_mended,
    wrong_parameters,
    an_agent_killed_at_any_moment,
];

fn main() -> ExitCode {
    testing::run(&[TESTS], testing::without_root())
}

fn text(bytes: Option<&[u8]>) -> &str {
    std::str::from_utf8(bytes.unwrap()).unwrap()
}

fn a_node_without_any_certificate_serves_with_the_clusters_set() {
    let cluster = Cluster::new(Some("4m"));
    let (one, two) = (cluster.node("one"), cluster.node("two"));
    let mut set = Authority::new("CA").set(&NAMES);
    set.insert("sm4.key", 0o600, b"0123456789abcdef".to_vec())
        .unwrap();
    one.write(&set);
    assert_eq!(one.call("monitor").code, 7);
    one.ok("start");
    one.ok("start");
    one.healthy();
    assert_eq!(cluster.generation(), 1);
    one.stop_and_give_way_to(&two);
    assert_eq!(one.call("monitor").code, 7);
    one.ok("stop");
    assert_eq!(two.set(), set);
    assert_eq!(
        fs::metadata(&two.certs).unwrap().permissions().mode() & 0o777,
        0o700
    );
    two.healthy();
    two.ok("validate-all");
    two.ok("reload-agent");
}

fn no_key_is_on_the_volume_in_clear() {
    let cluster = Cluster::new(None);
    let one = cluster.node("one");
    let mut set = Authority::new("CA").set(&NAMES);
    put(&mut set, "sm4.key", "this is the key of the store");
    one.write(&set);
    fs::write(one.certs.join("ca.key"), "this is the key of the authority").unwrap();
    one.ok("start");
    let bundle = fs::read(cluster.bundle()).unwrap();
    let body = text(set.contents("node.key")).lines().nth(1).unwrap();
    for secret in ["PRIVATE KEY", "this is the key", body] {
        let found = bundle
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "{secret}");
    }
    // The key of the authority travels only on request.
    one.ok("stop");
    let two = cluster.node("two");
    two.ok("start");
    assert!(!two.certs.join("ca.key").exists());
    two.ok("stop");
    let with = cluster.node("one").with("include_ca_key", "true");
    with.ok("start");
    with.stop_and_give_way_to(&two);
    assert!(!two.certs.join("ca.key").exists(), "not asked for here");
    two.stop_and_give_way_to(&with);
    let three = cluster.node("three").with("include_ca_key", "true");
    with.ok("stop");
    // Node two did not want it and took it out of the bundle; node one still has it and put it back.
    three.ok("start");
    assert!(three.certs.join("ca.key").exists());
}

fn a_rotation_on_the_serving_node_travels_and_can_be_repeated() {
    let cluster = Cluster::new(None);
    let (one, two) = (cluster.node("one"), cluster.node("two"));
    let authority = Authority::new("CA");
    one.write(&authority.set(&NAMES));
    one.ok("start");
    one.stop_and_give_way_to(&two);
    let rotated = authority.set(&NAMES);
    two.write(&rotated);
    two.healthy();
    assert_eq!(cluster.generation(), 2);
    // Another authority, and a client more, a moment before the switchover: stop publishes it.
    let mut other = Authority::new("Other CA").set(&NAMES);
    let alice = text(other.contents("client.root.crt")).to_owned();
    put(&mut other, "client.alice.crt", &alice);
    for (name, _) in rotated.files() {
        fs::remove_file(two.certs.join(name)).unwrap();
    }
    two.write(&other);
    two.stop_and_give_way_to(&one);
    assert_eq!(one.set(), other);
    assert_eq!(cluster.generation(), 3);
}

fn half_a_rotation_is_told_and_not_published() {
    let cluster = Cluster::new(None);
    let (one, two) = (cluster.node("one"), cluster.node("two"));
    let authority = Authority::new("CA");
    let (old, new) = (authority.set(&NAMES), authority.set(&NAMES));
    one.write(&old);
    one.ok("start");
    fs::write(one.certs.join("node.crt"), new.contents("node.crt").unwrap()).unwrap();
    one.degraded(&[
        "node.key is not the key of node.crt",
        "generation 1",
        "crm_resource --force-start",
    ]);
    assert_eq!(cluster.generation(), 1);
    // The guide's way: remove both, make both.
    fs::remove_file(one.certs.join("node.key")).unwrap();
    one.degraded(&["node.key is missing"]);
    fs::write(one.certs.join("node.key"), new.contents("node.key").unwrap()).unwrap();
    one.healthy();
    assert_eq!(cluster.generation(), 2);
    // Left half done, then a failover and back: the cluster's set comes back, the half one is put aside and told.
    fs::write(one.certs.join("node.key"), old.contents("node.key").unwrap()).unwrap();
    one.stop_and_give_way_to(&two);
    two.healthy();
    two.stop_and_give_way_to(&one);
    assert_eq!(
        text(one.set().contents("node.key")),
        text(new.contents("node.key"))
    );
    let reason = one.degraded(&[".certs.displaced-", "never published"]);
    let path = reason.split(' ').next().unwrap();
    assert_eq!(
        fs::read(Path::new(path).join("node.key")).unwrap(),
        old.contents("node.key").unwrap()
    );
    fs::remove_dir_all(path).unwrap();
    one.healthy();
}

fn everything_removed_by_mistake_comes_back_by_the_way_out_that_is_told() {
    let cluster = Cluster::new(None);
    let one = cluster.node("one");
    let set = Authority::new("CA").set(&NAMES);
    one.write(&set);
    one.ok("start");
    fs::remove_dir_all(&one.certs).unwrap();
    one.degraded(&["has no certificates", "crm_resource --force-start"]);
    one.ok("start");
    assert_eq!(one.set(), set);
    one.healthy();
}

fn a_forgotten_virtual_ip_is_found_before_the_failover() {
    let cluster = Cluster::new(None);
    let one = cluster.node("one").with("required_names", "n1,n2 192.0.2.10");
    let authority = Authority::new("CA");
    one.write(&authority.set(&NAMES));
    one.ok("start");
    one.write(&authority.set(&["n1", "n2"]));
    one.degraded(&["not published", "node.crt is not valid for 192.0.2.10"]);
    assert_eq!(cluster.generation(), 1);
    one.write(&authority.set(&NAMES));
    one.healthy();
    assert_eq!(cluster.generation(), 2);
    // A first set that lacks it is better than none on the other node: published, and told.
    fs::remove_dir_all(cluster.volume().join(".kaiwudb-ha")).unwrap();
    one.write(&authority.set(&["n1", "n2"]));
    one.degraded(&["node.crt is not valid for 192.0.2.10"]);
    assert_eq!(cluster.generation(), 3);
}

fn rotated_on_the_standby_by_mistake() {
    let cluster = Cluster::new(None);
    let (one, two) = (cluster.node("one"), cluster.node("two"));
    let set = Authority::new("CA").set(&NAMES);
    one.write(&set);
    one.ok("start");
    one.stop_and_give_way_to(&two);
    // With an authority that no client knows.
    one.write(&Authority::new("CA").set(&NAMES));
    two.stop_and_give_way_to(&one);
    assert_eq!(one.set(), set);
    one.degraded(&["displaced"]);
}

fn the_installers_own_set_gives_way() {
    let cluster = Cluster::new(None);
    let (one, two) = (cluster.node("one"), cluster.node("two"));
    let set = Authority::new("CA").set(&NAMES);
    one.write(&set);
    one.ok("start");
    // kaiwudb's installer makes an authority of its own on every node, later than the cluster's.
    two.write(&Authority::new("CA").set_valid(&NAMES, Days(0, 365)));
    one.stop_and_give_way_to(&two);
    assert_eq!(two.set(), set);
    two.healthy();
}

fn the_authkey_changed() {
    let cluster = Cluster::new(None);
    let (one, two) = (cluster.node("one"), cluster.node("two"));
    let authority = Authority::new("CA");
    one.write(&authority.set(&NAMES));
    one.ok("start");
    cluster.set_authkey(2);
    one.degraded(&["could not be opened", "published them again", "authkey"]);
    one.healthy();
    one.stop_and_give_way_to(&two);
    assert_eq!(two.set(), one.set());
    two.write(&authority.set(&NAMES));
    two.healthy();
    // Node one has an older set and another authkey: it keeps its own, tells, and touches nothing.
    two.ok("stop");
    cluster.set_authkey(3);
    let (before, mine) = (fs::read(cluster.bundle()).unwrap(), one.set());
    one.ok("start");
    one.degraded(&["cannot be opened", "may hold newer", "put the authkey"]);
    assert_eq!((fs::read(cluster.bundle()).unwrap(), one.set()), (before, mine));
    one.ok("stop");
    // A node that has nothing cannot serve at all: a clear error.
    let three = cluster.node("three");
    let answer = three.call("start");
    assert_eq!(answer.code, 1);
    assert!(answer.reason.contains("cannot be opened"), "{}", answer.reason);
    // The way out that is told.
    fs::remove_file(cluster.bundle()).unwrap();
    one.ok("start");
    one.healthy();
    one.stop_and_give_way_to(&three);
}

fn without_any_authkey() {
    let cluster = Cluster::new(None);
    let one = cluster.node("one").with("authkey", "/no/such/authkey");
    one.write(&Authority::new("CA").set(&NAMES));
    one.ok("start");
    one.degraded(&["/no/such/authkey does not exist", "corosync-keygen"]);
    assert!(!cluster.bundle().exists());
    let checked = one.command("validate-all").env("OCF_CHECK_LEVEL", "10");
    let output = checked
        .run(host::Deadline::after(Duration::from_secs(5)))
        .unwrap();
    assert_eq!(output.status.code(), Some(5));
    one.ok("validate-all");
}

fn a_damaged_bundle_is_replaced_and_kept() {
    let cluster = Cluster::new(None);
    let (one, two) = (cluster.node("one"), cluster.node("two"));
    let authority = Authority::new("CA");
    let oldest = authority.set(&NAMES);
    one.write(&oldest);
    one.ok("start");
    one.write(&authority.set(&NAMES));
    one.healthy();
    let bundle = fs::read(cluster.bundle()).unwrap();
    for cut in [0, 1, 100, bundle.len() / 2, bundle.len() - 1] {
        fs::write(cluster.bundle(), &bundle[..cut]).unwrap();
        one.degraded(&["it is damaged", "replaced by a valid one"]);
        one.healthy();
        let damaged = cluster.bundle().with_extension("bundle.damaged");
        assert_eq!(fs::read(damaged).unwrap(), &bundle[..cut]);
    }
    // Node two never had a set: what is left is the bundle before the damaged one.
    one.ok("stop");
    fs::write(cluster.bundle(), b"x").unwrap();
    two.ok("start");
    assert_eq!(two.set(), oldest);
    two.healthy();
    // Node one knows that its own is newer.
    let newest = one.set();
    two.stop_and_give_way_to(&one);
    assert_eq!(one.set(), newest);
    one.stop_and_give_way_to(&two);
    assert_eq!(two.set(), newest);
}

fn a_full_volume() {
    let cluster = Cluster::new(Some("256k"));
    let one = cluster.node("one");
    let authority = Authority::new("CA");
    one.write(&authority.set(&NAMES));
    one.ok("start");
    let filler = cluster.volume().join("filler");
    let _ = fs::write(&filler, vec![0; 300_000]);
    one.write(&authority.set(&NAMES));
    one.degraded(&["cannot write", "No space left"]);
    assert_eq!(cluster.generation(), 1, "the bundle before is whole");
    fs::remove_file(filler).unwrap();
    one.healthy();
    assert_eq!(cluster.generation(), 2);
}

fn a_volume_that_is_not_there() {
    let mut cluster = Cluster::new(Some("1m"));
    let set = Authority::new("CA").set(&NAMES);
    {
        let one = cluster.node("one");
        one.write(&set);
        one.ok("start");
        one.ok("stop");
    }
    cluster.unmount();
    let one = cluster.node("one").with("require_mount", "true");
    let answer = one.call("start");
    assert_eq!(answer.code, 1);
    assert!(
        answer.reason.contains("is not mounted on this node"),
        "{}",
        answer.reason
    );
    assert!(
        !cluster.volume().join(".kaiwudb-ha").exists(),
        "nothing is written below the mount point"
    );
    assert_eq!(one.call("monitor").code, 7);
    one.ok("stop");
}

/// The directory itself is replaced, so it has to be known; whoever can change the link would lead root anywhere.
fn a_certificate_directory_that_is_a_link() {
    let cluster = Cluster::new(None);
    let (one, two) = (cluster.node("one"), cluster.node("two"));
    let set = Authority::new("CA").set(&NAMES);
    one.write(&set);
    one.ok("start");
    one.stop_and_give_way_to(&two);
    for (name, mode, code) in [("roots", 0o755, 0), ("anybodys", 0o777, 2)] {
        let parent = cluster.path(name);
        fs::create_dir(&parent).unwrap();
        fs::set_permissions(&parent, fs::Permissions::from_mode(mode)).unwrap();
        let real = cluster.path(&format!("{name}-own-disk"));
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, parent.join("certs")).unwrap();
        // The node that has nothing yet: a failover.
        let three = cluster.node(name);
        let answer = three.call("start");
        assert_eq!(answer.code, code, "{answer:?}");
        let told = answer.reason.contains("symbolic link") && answer.reason.contains("own-disk");
        assert_eq!(told, code != 0, "{answer:?}");
        assert_eq!(real.join("node.key").exists(), code == 0);
        assert!(fs::symlink_metadata(parent.join("certs")).unwrap().is_symlink());
        three.ok("stop");
    }
}

fn a_volume_that_hangs_costs_seconds_and_never_the_resource() {
    let cluster = Cluster::new(None);
    let one = cluster.node("one");
    one.write(&Authority::new("CA").set(&NAMES));
    one.ok("start");
    // A file system whose server never answers. Its end, with that of `server`, is an error for whoever still waits for it.
    let server = fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/fuse")
        .unwrap();
    let options = format!(
        "fd={},rootmode=40000,user_id=0,group_id=0",
        std::os::fd::AsRawFd::as_raw_fd(&server)
    );
    let at = cluster.bundle().parent().unwrap().to_owned();
    let none = nix::mount::MsFlags::empty();
    nix::mount::mount(Some("hung"), &at, Some("fuse"), none, Some(options.as_str())).unwrap();
    let answer = one.monitor();
    let stop = one.call("stop");
    drop(server);
    nix::mount::umount2(&at, nix::mount::MntFlags::MNT_DETACH).unwrap();
    assert_eq!(answer.code, 190, "{answer:?}");
    assert!(answer.reason.contains("no answer in time"), "{}", answer.reason);
    assert!(answer.elapsed < Duration::from_secs(8), "{:?}", answer.elapsed);
    assert_eq!(stop.code, 0);
    assert!(stop.elapsed < Duration::from_secs(5), "{:?}", stop.elapsed);
}

fn an_expired_certificate_is_told_and_never_an_error() {
    let cluster = Cluster::new(None);
    let one = cluster.node("one");
    let authority = Authority::new("CA");
    one.write(&authority.set_valid(&NAMES, Days(-100, 10)));
    one.ok("start");
    one.degraded(&["node.crt expires in", "client.root.crt expires in"]);
    one.write(&authority.set_valid(&NAMES, Days(-100, -1)));
    one.degraded(&["node.crt expired on", "not published"]);
    assert_eq!(cluster.generation(), 1);
    one.ok("stop");
    // What is still valid comes back before the server starts.
    one.ok("start");
    one.degraded(&["node.crt expires in", "client.root.crt expires in", "displaced"]);
    // Where there is nothing better the server starts with what there is.
    fs::remove_dir_all(cluster.volume().join(".kaiwudb-ha")).unwrap();
    let two = cluster.node("two");
    two.write(&authority.set_valid(&NAMES, Days(-100, -1)));
    two.ok("start");
    two.degraded(&["node.crt expired on"]);
}

fn nothing_to_serve_with_is_a_clear_error() {
    let cluster = Cluster::new(None);
    let one = cluster.node("one");
    let answer = one.call("start");
    assert_eq!(answer.code, 1);
    assert!(
        answer.reason.contains("has no certificates") && answer.reason.contains("kwbase cert"),
        "{}",
        answer.reason
    );
    assert_eq!(
        one.call("monitor").code,
        7,
        "a failed start leaves nothing behind"
    );
}

fn owners_and_modes_are_mended() {
    let cluster = Cluster::new(None);
    let one = cluster.node("one").with("user", "nobody");
    one.write(&Authority::new("CA").set(&NAMES));
    let key = one.certs.join("node.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    one.ok("start");
    let found = fs::metadata(&key).unwrap();
    let nobody = host::user::find("nobody", host::Deadline::after(Duration::from_secs(1))).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&found), nobody.uid);
    one.healthy();
}

fn wrong_parameters() {
    let cluster = Cluster::new(None);
    for (parameter, value, words) in [
        ("cert_warn_days", "soon", "a whole number from 0 to 3650"),
        (
            "required_names",
            "a b;c",
            "\"b;c\" is neither a DNS name nor an IP address",
        ),
        ("certs_dir", "certs", "not an absolute path"),
        ("bundle_dir", "/elsewhere", "not below data_root"),
    ] {
        let one = cluster.node("one").with(parameter, value);
        for action in ["start", "validate-all"] {
            let answer = one.call(action);
            assert_eq!(answer.code, 6, "{action} {parameter}");
            assert!(answer.reason.contains(words), "{}", answer.reason);
        }
        one.ok("stop");
        assert_eq!(one.call("monitor").code, 7, "{parameter}");
    }
    let one = cluster.node("one").with("user", "no-such-user");
    assert_eq!(one.call("start").code, 5);
}

/// Whatever moment the machine loses power at, the server finds one whole set, and the next start fixes the rest.
fn an_agent_killed_at_any_moment() {
    let cluster = Cluster::new(None);
    let authority = Authority::new("CA");
    let (one, two) = (cluster.node("one"), cluster.node("two"));
    let mut current = authority.set(&NAMES);
    one.write(&current);
    one.ok("start");
    let mut interrupted = 0;
    for round in 0..60u64 {
        let next = authority.set(&NAMES);
        one.write(&next);
        one.healthy();
        let start = two.command("start");
        if start
            .run(host::Deadline::after(Duration::from_micros(500 * round)))
            .is_err()
        {
            interrupted += 1;
        }
        let found = two.set();
        assert!(
            found == current || found == next || (round < 30 && found.is_empty()),
            "round {round}"
        );
        two.ok("start");
        assert_eq!(two.set(), next, "round {round}");
        two.ok("stop");
        current = next;
    }
    assert!(interrupted > 5, "{interrupted} of 60 starts were interrupted");
}

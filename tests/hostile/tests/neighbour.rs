//! Any account of the machine can call a program kwbase, give it the server's arguments and take a free port.

use contract::machine::{DATA_ROOT, Machine, eventually, shell};
use contract::on_a_machine;
use hostile::{
    IMPOSTOR, NEIGHBOUR, SERVICE, SOON, STUBBORN, honest_servers, listens, pretender, start_as, stock_layout,
    the_service_goes_on,
};

testing::tests![
    a_pretender_is_nobody,
    twelve_pretenders_that_do_not_end,
    a_pretender_in_his_own_namespaces,
    a_pretender_in_a_service_with_mounts_of_its_own,
    an_impostor_is_never_adopted,
    an_impostor_answers_while_the_server_starts,
    a_working_directory_that_looks_like_the_store,
    a_flood_of_rows,
    a_pretender_beside_a_running_server,
];

#[track_caller]
fn is_not_counted(machine: &Machine) {
    machine.probe().run().within(SOON).is_silent(7);
    let log = machine.log();
    assert!(
        log.iter().any(|line| line.contains("not a server of")),
        "nobody is told: {log:?}"
    );
}

fn a_pretender_is_nobody() {
    on_a_machine(|machine| {
        stock_layout();
        let mut one = pretender(NEIGHBOUR, STUBBORN);
        eventually("it pretends", || !contract::process::servers().is_empty());
        is_not_counted(machine);
        the_service_goes_on(machine);
        assert!(one.is_running(), "it is not ours to end");
    });
}

fn twelve_pretenders_that_do_not_end() {
    on_a_machine(|machine| {
        stock_layout();
        let mut all: Vec<_> = (0..12).map(|_| pretender(NEIGHBOUR, STUBBORN)).collect();
        eventually("they pretend", || contract::process::servers().len() == 12);
        machine.agent("stop").run().within(SOON).succeeds();
        the_service_goes_on(machine);
        assert!(all.iter_mut().all(hostile::Attacker::is_running));
    });
}

/// Root in a user namespace is nobody outside.
fn a_pretender_in_his_own_namespaces() {
    on_a_machine(|machine| {
        stock_layout();
        let script = format!(
            "mkdir -p /tmp/ns && cd /tmp/ns && cp /usr/bin/perl kwbase && echo 'sleep 600' >start &&
             exec unshare -Urm sh -c 'mount -t tmpfs none {DATA_ROOT}; exec ./kwbase start --store={DATA_ROOT}'"
        );
        let _one = start_as(NEIGHBOUR, &script);
        eventually("it pretends", || !contract::process::servers().is_empty());
        machine.probe().run().within(SOON).is_silent(7);
        the_service_goes_on(machine);
    });
}

/// As a service with `PrivateTmp=yes`, into which somebody has broken.
fn a_pretender_in_a_service_with_mounts_of_its_own() {
    on_a_machine(|machine| {
        stock_layout();
        shell(
            "mkdir -p /tmp/web && cp /usr/bin/perl /tmp/web/kwbase && echo 'sleep 600' >/tmp/web/start && chmod -R a+rX /tmp/web",
        );
        let script = format!(
            "cd /tmp/web && exec unshare -m setpriv --reuid={NEIGHBOUR} --regid={NEIGHBOUR} --clear-groups \
             ./kwbase start --store={DATA_ROOT}"
        );
        let _one = start_as(0, &script);
        eventually("it pretends", || !contract::process::servers().is_empty());
        is_not_counted(machine);
        the_service_goes_on(machine);
    });
}

fn an_impostor_is_never_adopted() {
    on_a_machine(|machine| {
        stock_layout();
        let one = pretender(NEIGHBOUR, IMPOSTOR);
        eventually("it listens", || listens(26257) && listens(8080));
        for _ in 0..3 {
            let outcome = machine.agent("start").run();
            assert_ne!(outcome.code(), 0, "the ports are his: {outcome:?}");
            assert!(outcome.took < SOON * 2);
        }
        machine.agent("stop").run().within(SOON).succeeds();
        drop(one);
        eventually("the ports are free", || !listens(26257));
        the_service_goes_on(machine);
    });
}

/// A server that has not taken its port yet may have an impostor answer for it.
fn an_impostor_answers_while_the_server_starts() {
    on_a_machine(|machine| {
        stock_layout();
        let one = pretender(NEIGHBOUR, &IMPOSTOR.replace("(26257, 8080)", "(26257)"));
        eventually("it listens", || listens(26257));
        for _ in 0..20 {
            let outcome = machine.agent("start").run();
            assert_ne!(outcome.code(), 0, "{outcome:?}");
        }
        machine.agent("stop").run().within(SOON).succeeds();
        drop(one);
        eventually("the port is free", || !listens(26257));
        the_service_goes_on(machine);
    });
}

/// Called as the agent's own children are, where the path of the store is another file system, or the store itself.
fn a_working_directory_that_looks_like_the_store() {
    on_a_machine(|machine| {
        stock_layout();
        let name = "$0 = 'kaiwudb-sentinel'; sleep 600 while 1";
        let _own_mounts = start_as(
            NEIGHBOUR,
            &format!(
                "exec unshare -Urm sh -c 'mount -t tmpfs none {DATA_ROOT}; cd {DATA_ROOT}; exec perl -e \"{}\"'",
                name.replace('$', "\\$")
            ),
        );
        machine.agent("start").run().succeeds();
        let _in_the_store = start_as(
            SERVICE,
            &format!("cd {DATA_ROOT} && exec perl -e \"{}\"", name.replace('$', "\\$")),
        );
        eventually("they sit there", || {
            contract::process::all(|arguments| {
                arguments
                    .first()
                    .is_some_and(|word| word.starts_with("kaiwudb-sentinel"))
            })
            .len()
                >= 3
        });
        machine.agent("stop").run().within(SOON).succeeds();
        assert!(honest_servers().is_empty());
    });
}

/// Who answers on the server's port may send rows without end. He runs as the server here, so he is believed to be it.
fn a_flood_of_rows() {
    on_a_machine(|_machine| {
        stock_layout();
        let _flood = pretender(SERVICE, &format!("$ENV{{FLOOD}} = 1;\n{IMPOSTOR}"));
        eventually("it listens", || listens(26257) && listens(8080));
        let peak = shell(&format!(
            "ulimit -v 600000; OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=KaiwuDB OCF_CHECK_LEVEL=10 \
             OCF_RESKEY_crm_feature_set=3.17.4 OCF_RESKEY_CRM_meta_interval=10000 OCF_RESKEY_CRM_meta_timeout=20000 \
             OCF_RESKEY_CRM_meta_name=monitor perl -e 'my $pid = fork; if (!$pid) {{ exec @ARGV or exit 9 }} my $peak = 0; \
             while (1) {{ last if waitpid($pid, 1) == $pid; if (open my $f, \"<\", \"/proc/$pid/status\") {{ while (<$f>) {{ \
             $peak = $1 if /^VmHWM:\\s+(\\d+)/ and $1 > $peak }} }} select undef, undef, undef, 0.01 }} print $peak' {} monitor 2>/dev/null",
            contract::machine::AGENT
        ));
        let kilobytes: u64 = peak.trim().parse().unwrap();
        assert!((1..64_000).contains(&kilobytes), "{kilobytes} kB");
    });
}

fn a_pretender_beside_a_running_server() {
    on_a_machine(|machine| {
        stock_layout();
        machine.agent("start").run().succeeds();
        let _one = pretender(NEIGHBOUR, STUBBORN);
        eventually("it pretends", || contract::process::servers().len() == 2);
        for level in [0, 10, 20] {
            machine.monitor().level(level).run().within(SOON).succeeds();
        }
        machine.probe().run().succeeds();
        machine.agent("stop").run().within(SOON).succeeds();
        assert!(honest_servers().is_empty());
    });
}

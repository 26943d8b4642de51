//! The cases that the resource-agents project's `ocft` has for `IPaddr2`, run on `ocf:kaiwudb:virtual-ip`.

use contract::machine::AGENT;
use contract::on_a_bare_machine;
use contract::programs::Programs;
use std::path::Path;

const CASES: &str = "/usr/share/resource-agents/ocft/configs";

/// What `IPaddr2` answers since resource-agents 4.17, and its cases want since 4.18, when nothing on the node fits the parameters.
const SINCE_4_18: &str = "OCF_ERR_INSTALLED";
const NO_VALUE_ANYWHERE: &str =
    "what is an address on no node is an error of the configuration: 6, as before 4.18";

/// Cases whose outcome is another one here, by the start of their names, what of a start they want if that matters, and why.
const DIFFER: [(&str, &str, &str, &str); 5] = [
    (
        "IPaddr2",
        "check base env: set invalid 'OCF_RESKEY_ip'",
        SINCE_4_18,
        NO_VALUE_ANYWHERE,
    ),
    (
        "IPaddr2",
        "check base env: set invalid 'OCF_RESKEY_cidr_netmask'",
        SINCE_4_18,
        NO_VALUE_ANYWHERE,
    ),
    (
        "IPaddr2",
        "check base env: set invalid 'OCF_RESKEY_broadcast'",
        SINCE_4_18,
        NO_VALUE_ANYWHERE,
    ),
    (
        "IPaddr2",
        "check base env: set invalid 'OCF_RESKEY_nic'",
        "",
        "an interface that this node does not have may be there on the next one: 2, not 6, which would give up everywhere",
    ),
    (
        "IPaddr2v6",
        "params with force cidr_netmask (base netmask < assigned netmask)",
        "",
        "a longer prefix within the interface's subnet is taken with IPv6 as it is with IPv4",
    ),
];

#[test]
fn the_cases_for_an_address() {
    runs("IPaddr2", 20);
}

#[test]
fn the_cases_for_ipv4() {
    runs("IPaddr2v4", 22);
}

#[test]
fn the_cases_for_ipv6() {
    runs("IPaddr2v6", 20);
}

fn runs(config: &str, cases: usize) {
    on_a_bare_machine(|machine| {
        let provider = Path::new(AGENT)
            .parent()
            .expect("a file lies in a directory")
            .display();
        let agent = Programs::get().agent("virtual-ip");
        // Agent and root are changed, nothing else. The tool keeps its notes in /tmp.
        let said = machine.shell(&format!(
            "cp '{}' {provider}/virtual-ip; mount -t tmpfs tmpfs /tmp; mkdir -p /run/cases /run/resource-agents
             for n in 0 1; do ip link add eth$n type veth peer name port$n; ip link set eth$n up; ip link set port$n up; done
             sed -e 's/^\\(\\s*Agent\\) .*/\\1 virtual-ip/' -e 's|^\\(\\s*AgentRoot\\) .*|\\1 {provider}|' {CASES}/{config} >/run/cases/{config}
             ocft make -d /run/cases {config} && ocft test {config} 2>&1 || true",
            agent.display()
        ));
        assert_eq!(said.matches("    - case ").count(), cases, "{said}");
        let text = machine.shell(&format!("cat /run/cases/{config}"));
        let wants = |case: &str, code: &str| {
            let lines = text.lines().skip_while(|line| !line.contains(case));
            let mut starts = lines.filter(|line| line.contains("AgentRun start"));
            starts.next().is_some_and(|start| start.contains(code))
        };
        let others = DIFFER.iter().filter(|(other, ..)| *other == config);
        let expected: Vec<&str> = others
            .filter(|(_, case, code, _)| wants(case, code))
            .map(|(_, case, ..)| *case)
            .collect();
        let failed: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("mFAILED"))
            .map(|line| line.trim_start_matches(config).trim_start_matches(": "))
            .map(|line| line.split(" - ").next().unwrap_or(line))
            .collect();
        assert_eq!(failed, expected, "{said}");
    });
}

//! DRBD's configuration on each node.

use super::finding::Finding;
use super::rule;
use super::scene::Scene;
use ocf::parse_boolean;
use site::drbd_dialect::{Dialect, UNFENCE};
use site::facts::{Configured, Facts, Secret};

/// Looks at DRBD.
pub(super) fn inspect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let used = scene.roles.drbd_resource();
    for (node, facts) in scene.facts() {
        if let Some(why) = &facts.drbd.refused {
            findings.push(
                Finding::of(rule::DRBD_REFUSED, why.as_str())
                    .on(node)
                    .fix("drbdadm dump all"),
            );
        }
        for file in &facts.drbd.legacy_syncer {
            findings.push(
                Finding::of(rule::DRBD_SYNCER_LEGACY, format!("{file}: syncer"))
                    .on(node)
                    .fix("disk { c-plan-ahead 20; c-max-rate 300M; c-min-rate 20M; } net { verify-alg crc32c; }"),
            );
        }
        for (name, configured) in &facts.drbd.resources {
            // With a cluster only its own resource is our business.
            if used.is_none_or(|used| used == name) {
                resource(scene, node, facts, name, configured, findings);
            }
        }
    }
    versions(scene, findings);
    let mut both = scene.facts().filter_map(|(node, facts)| {
        let name = used
            .map(str::to_owned)
            .or_else(|| facts.drbd.resources.keys().next().cloned())?;
        Some((node, facts.drbd.resources.get(&name)?))
    });
    if let (Some((one, first)), Some((other, second))) = (both.next(), both.next())
        && first != second
    {
        findings.push(
            Finding::of(rule::DRBD_NODES_DIFFER, format!("{one} / {other}: drbdadm dump")).fix(format!(
                "scp /etc/drbd.d/* {other}:/etc/drbd.d/ && ssh {other} drbdadm adjust all"
            )),
        );
    }
}

/// Major and minor number, which say what understands what.
fn series(version: &str) -> &str {
    version.rsplit_once('.').map_or(version, |(series, _)| series)
}

/// The modules that run, and those that the next boot may bring.
fn versions(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let known: Vec<(&str, &Facts, &str)> = scene
        .facts()
        .filter_map(|(node, facts)| Some((node, facts, facts.drbd.kernel.as_deref()?)))
        .collect();
    if known
        .iter()
        .any(|(.., version)| series(version) != series(known[0].2))
    {
        let evidence: Vec<String> = known
            .iter()
            .map(|(node, _, version)| format!("{node}: {version}"))
            .collect();
        findings.push(
            Finding::of(rule::DRBD_VERSIONS_DIFFER, evidence.join(", "))
                .fix("modinfo -F version drbd  # on both nodes"),
        );
    }
    // Where nothing uses DRBD a kernel may be without it.
    for (node, facts, version) in known
        .iter()
        .filter(|(_, facts, _)| !facts.drbd.resources.is_empty())
    {
        for (kernel, other) in &facts.drbd.newer_kernels {
            if other.as_deref().map(series) == Some(series(version)) {
                continue;
            }
            let other = other.as_deref().unwrap_or("-");
            findings.push(
                Finding::of(
                    rule::DRBD_NEXT_KERNEL,
                    format!("{kernel}: drbd {other} (now: {version})"),
                )
                .on(node)
                .fix(format!(
                    "modinfo -k {kernel} -F version drbd  # install or build the module for it"
                )),
            );
        }
    }
}

fn resource(
    scene: &Scene<'_>,
    node: &str,
    facts: &Facts,
    name: &str,
    configured: &Configured,
    findings: &mut Vec<Finding>,
) {
    let option = |key: &str| configured.options.get(key).map(String::as_str);
    let mut found = |rule, evidence: String, fix: &str| {
        findings.push(Finding::of(rule, format!("{name}: {evidence}")).on(node).fix(fix));
    };
    for (key, rule) in [
        ("disk/disk-flushes", rule::DRBD_FLUSHES_OFF),
        ("disk/md-flushes", rule::DRBD_MD_FLUSHES_OFF),
    ] {
        if let Some(value) = option(key).filter(|value| parse_boolean(value) == Some(false)) {
            let option = key.trim_start_matches("disk/");
            found(
                rule,
                format!("{option}={value}"),
                &format!("disk {{ {option} yes; }}  # then: drbdadm adjust {name}"),
            );
        }
    }
    // DRBD takes 63 characters.
    let secret =
        "net { cram-hmac-alg sha256; shared-secret \"$(openssl rand -hex 24)\"; }  # the same on both nodes";
    match configured.secret {
        Secret::Sample => found(rule::DRBD_SECRET_SAMPLE, "shared-secret".to_owned(), secret),
        Secret::Missing => found(rule::DRBD_SECRET_MISSING, "shared-secret: -".to_owned(), secret),
        Secret::Own => {}
    }
    for (key, harmless) in [
        ("net/after-sb-0pri", ["disconnect", "discard-zero-changes"]),
        ("net/after-sb-1pri", ["disconnect", "consensus"]),
        ("net/after-sb-2pri", ["disconnect", "disconnect"]),
    ] {
        if let Some(value) = option(key).filter(|value| !harmless.contains(value)) {
            let option = key.trim_start_matches("net/");
            found(
                rule::DRBD_DISCARDS,
                format!("{option}={value}"),
                &format!("net {{ {option} disconnect; }}"),
            );
        }
    }
    let policy = option("net/fencing")
        .or_else(|| option("disk/fencing"))
        .unwrap_or("dont-care");
    let dialect = Dialect::of(&facts.drbd).unwrap_or(Dialect::V9);
    match option("handlers/fence-peer") {
        Some(_) if policy == "dont-care" => found(
            rule::DRBD_UNFENCED,
            format!("fencing={policy}"),
            &format!(
                "{} {{ fencing resource-and-stonith; }}",
                dialect.fencing_section()
            ),
        ),
        None => found(
            rule::DRBD_UNFENCED,
            format!("fencing={policy} fence-peer=-"),
            &format!(
                "{} {{ fencing resource-and-stonith; }} {}",
                dialect.fencing_section(),
                handlers(dialect)
            ),
        ),
        // What others do with their own handler is theirs.
        Some(program) if program.contains("crm-fence-peer") => {
            let lifts = dialect.lifts();
            if option(&format!("handlers/{lifts}"))
                .is_none_or(|program| !program.contains("crm-unfence-peer"))
            {
                found(
                    rule::DRBD_NEVER_UNFENCES,
                    format!("{lifts}={}", option(&format!("handlers/{lifts}")).unwrap_or("-")),
                    &format!("handlers {{ {lifts} \"{UNFENCE}\"; }}  # then: drbdadm adjust {name}"),
                );
            }
        }
        Some(_) => {}
    }
    let disks = configured.disks_of(&facts.host);
    for disk in disks.iter().filter(|disk| is_unstable(disk)) {
        found(
            rule::DRBD_DISK_UNSTABLE,
            format!("disk={disk}"),
            &format!("udevadm info --query=symlink {disk}  # use a name in /dev/disk/by-id"),
        );
    }
    if let Some(protocol) = option("net/protocol").filter(|protocol| *protocol != "C") {
        found(
            rule::DRBD_PROTOCOL,
            format!("protocol={protocol}"),
            "net { protocol C; }",
        );
    }
    if option("net/allow-two-primaries").is_some_and(|value| parse_boolean(value) != Some(false)) {
        found(
            rule::DRBD_TWO_PRIMARIES,
            "allow-two-primaries".to_owned(),
            "net { allow-two-primaries no; }",
        );
    }
    if option("net/verify-alg").is_none() {
        found(
            rule::DRBD_UNVERIFIED,
            "verify-alg: -".to_owned(),
            "net { verify-alg crc32c; }  # then monthly: drbdadm verify",
        );
    }
    if let Some(value) = option("disk/on-io-error").filter(|value| *value != "detach") {
        found(
            rule::DRBD_KEEPS_BAD_DISK,
            format!("on-io-error={value}"),
            "disk { on-io-error detach; }",
        );
    }
    // A resource that nobody uses may be for other hosts.
    if scene.roles.data.is_some() && !configured.hosts.is_empty() && !configured.hosts.contains(&facts.host) {
        found(
            rule::DRBD_OTHER_HOST,
            format!("on {} / uname -n: {}", configured.hosts.join(", "), facts.host),
            &format!("hostnamectl set-hostname NAME  # or rename 'on' in the resource {name}"),
        );
    }
}

/// The section with all handlers.
fn handlers(dialect: Dialect) -> String {
    let all = dialect.handlers().iter();
    let lines: Vec<String> = all
        .map(|(name, program)| format!("{name} \"{program}\";"))
        .collect();
    format!("handlers {{ {} }}", lines.join(" "))
}

/// Whether the kernel numbers these names anew at every boot.
fn is_unstable(disk: &str) -> bool {
    ["/dev/sd", "/dev/vd", "/dev/xvd", "/dev/hd", "/dev/nvme"]
        .iter()
        .any(|prefix| disk.starts_with(prefix))
}

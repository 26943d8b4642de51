//! What installs and upgrades packages where rpm does: the lines are typed into the real dnf and zypper, which find the packages in a
//! directory.

use super::ground::{Finding, of_report};
use contract::machine::shell;
use contract::on_a_bare_machine;
use contract::programs::{Programs, repository};
use std::fs;
use std::process::{Command, Output};

/// A cluster with the agents of which a node may have none.
const CIB: &str = r#"<cib crm_feature_set="3.16.2"><configuration><crm_config/><nodes><node id="1" uname="db-a"/></nodes><resources>
<primitive id="volume" class="ocf" provider="kaiwudb" type="filesystem"/></resources><constraints/></configuration><status/></cib>"#;

/// What Debian has besides, and what its rpm needs in order to install something.
const GROUND: &str = r#"for directory in usr/bin root var/cache var/log; do
  mkdir -p /run/above/$directory /run/work/$directory
  mount -t overlay overlay -o lowerdir=/$directory,upperdir=/run/above/$directory,workdir=/run/work/$directory /$directory
done
mkdir -p /dev/pts; mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts; rm -f /dev/ptmx; ln -s pts/ptmx /dev/ptmx
rm /usr/bin/apt-get
mkdir -p /etc/rpm; echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.dbpath
mv /usr/bin/rpm /usr/bin/debians-rpm; printf '#!/bin/sh\nexec debians-rpm --force-debian "$@"\n' >/usr/bin/rpm; chmod 755 /usr/bin/rpm
umount /usr/lib/ocf/resource.d/kaiwudb/kaiwudb; rm -rf /usr/lib/ocf/resource.d/kaiwudb
mkdir -p /run/packages /etc/yum.repos.d /etc/zypp/repos.d; rm -f /etc/yum.repos.d/* /etc/zypp/repos.d/*
printf '[local]\nname=local\nbaseurl=file:///run/packages\ngpgcheck=0\n' | tee /etc/yum.repos.d/local.repo >/etc/zypp/repos.d/local.repo
printf '#!/bin/sh\ncase $1 in --version) echo Pacemaker 2.1.5;; --query) cat /run/cib.xml;; *) exit 1; esac\n' >/usr/sbin/cibadmin
chmod 755 /usr/sbin/cibadmin"#;

/// Packages of two releases that have one of the agents.
const PACKAGES: &str = r#"cd /run && for version in 0.0.9 0.1.0; do
printf '%s\n' 'Name: kaiwudb-ha' "Version: $version" 'Release: 1' 'Summary: agents' 'License: Apache-2.0' 'AutoReqProv: no' 'BuildArch: noarch' \
  '%define __strip /bin/true' '%description' 'agents' '%install' \
  "install -D -m 755 $0 %{buildroot}/usr/lib/ocf/resource.d/kaiwudb/filesystem" '%files' '/usr/lib/ocf/resource.d/kaiwudb' >spec
rpmbuild -bb --quiet --define '_topdir /run/top' --define '_rpmdir /run/packages' --define '_binaries_in_noarch_packages_terminate_build 0' spec
done; createrepo_c --quiet packages"#;

/// In a terminal, with `y` as the answer, which zypper does not take before it has asked.
const TYPED: &str = r#"rm -f /run/answer /run/said; mkfifo /run/answer; touch /run/said; exec 3<>/run/answer
(until grep -qE 'Is this ok|Continue\?' /run/said; do sleep 0.1; done; echo y >&3) & answering=$!
timeout 100 script --quiet --flush --return --command "$0" /run/said <&3 && status=0 || status=$?
kill $answering 2>/dev/null; exit $status"#;

fn typed(line: &str) -> Output {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", TYPED, line])
        .output()
        .expect("there is a shell")
}

fn check() -> Vec<Finding> {
    let output = Command::new(&Programs::get().command)
        .args(["check", "--json"])
        .output()
        .expect("the command is built");
    of_report(&output)
}

fn release() -> String {
    shell("rpm --query --queryformat '%{VERSION}' kaiwudb-ha || true")
}

#[test]
fn rpm_systems_are_told_their_own_commands() {
    if std::env::var_os("SUITE").is_some() {
        eprintln!("not tried: dnf and zypper are this machine's");
        return;
    }
    let need = repository().join("packaging/toolchain/need.sh");
    let needs = Command::new(need)
        .args(["createrepo-c", "dnf", "rpm", "zypper"])
        .status()
        .expect("need.sh can be run");
    assert!(needs.success(), "{needs}");
    for (installer, other, upgrade) in [("dnf", "zypper", "upgrade"), ("zypper", "dnf", "update")] {
        on_a_bare_machine(|_| {
            shell(GROUND);
            shell(&format!("rm /usr/bin/{other}"));
            fs::write("/run/cib.xml", CIB).expect("/run is private");
            let agent = Programs::get().agent("filesystem");
            let built = Command::new("sh")
                .args(["-ec", PACKAGES])
                .arg(agent)
                .output()
                .expect("there is a shell");
            assert!(built.status.success(), "{built:?}");

            let missing = check().into_iter().find(|one| one.id == "agent-missing");
            let lines = missing.expect("the node has no agent").fixes;
            assert_eq!(lines, [format!("{installer} install kaiwudb-ha")]);
            let said = typed(&lines[0]);
            assert_eq!(release(), "0.1.0", "{said:?}");
            let left = check().into_iter().find(|one| one.id == "agent-missing");
            assert!(left.is_none(), "{left:?}");

            // What `check` prints where another node has a newer release; unit tests have the words.
            typed(&format!("{installer} remove kaiwudb-ha"));
            typed(&format!("{installer} install kaiwudb-ha-0.0.9"));
            assert_eq!(release(), "0.0.9");
            let said = typed(&format!("{installer} {upgrade} kaiwudb-ha"));
            assert_eq!(release(), "0.1.0", "{said:?}");
        });
    }
}

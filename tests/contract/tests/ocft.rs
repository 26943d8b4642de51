//! The cases that the resource-agents project's `ocft` has for its own file system agent, run on ours.

use contract::machine::AGENT;
use contract::on_a_bare_machine;
use contract::programs::Programs;
use std::path::Path;

const CASES: &str = "/usr/share/resource-agents/ocft/configs/Filesystem";
/// What the cases need of the machine below a root where nothing is mounted on `/run`: as on most containers, and as the cases
/// were written for. They take `/var/run` then, so the mount point is reached through a link and does not exist yet.
const ROOT: &str = "/run/root";
/// The cases take a loop device by asking which one is free, and give one up to take it again: only one that others are not given, which
/// are the lowest free ones, is still free then.
const LOOPS: &str = r#"loop=$((1000 + $$ % 100000))
trap "perl -e 'open(F, \"+<\", \"/dev/loop-control\") && defined ioctl(F, 0x4C81, $loop) or die \"loop-control: \$!\"'" EXIT
mkdir /run/cases/bin
printf '#!/bin/sh\n[ "$*" != -f ] || exec echo /dev/loop%s\nexec /sbin/losetup "$@"\n' "$loop" >/run/cases/bin/losetup
chmod +x /run/cases/bin/losetup"#;

#[test]
fn the_cases_of_ocft_for_a_file_system() {
    on_a_bare_machine(|machine| {
        let provider = Path::new(AGENT)
            .parent()
            .expect("a file lies in a directory")
            .display();
        let agent = Programs::get().agent("filesystem");
        // Agent and root are changed, nothing else.
        let said = machine.shell(&format!(
            "cp '{}' {provider}/filesystem; mkdir -p {ROOT} /run/changed /run/work /run/cases
             mount -t overlay -o lowerdir=/,upperdir=/run/changed,workdir=/run/work root {ROOT}
             for directory in /dev /etc /proc /sys /usr/lib/ocf /var/lib; do mount --rbind $directory {ROOT}$directory; done
             mkdir -p {ROOT}/run/resource-agents
             {LOOPS}
             sed -e 's/^\\(\\s*Agent\\) .*/\\1 filesystem/' -e 's|^\\(\\s*AgentRoot\\) .*|\\1 {provider}|' {CASES} >/run/cases/filesystem
             mount --bind /run/cases {ROOT}/mnt
             chroot {ROOT} sh -c 'PATH=/mnt/bin:$PATH; ocft make -d /mnt filesystem && ocft test filesystem' 2>&1 || true",
            agent.display()
        ));
        let count = |word: &str| said.lines().filter(|line| line.contains(word)).count();
        let cases = count("    - case ");
        assert!(cases >= 14, "{said}");
        assert_eq!((count("mOK"), count("mFAILED")), (cases, 0), "{said}");
    });
}

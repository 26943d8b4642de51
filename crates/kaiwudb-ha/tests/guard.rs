//! `guard` of the built program, in a mount namespace of its own.
#![allow(clippy::unwrap_used)] // a test, its helpers included

use host::{Command, Deadline};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// `ocf:kaiwudb` or the guide's agents mount on it and unmount it as before; root himself cannot write below.
const SCRIPT: &str = r#"
cd "$DIRECTORY"
mkdir real below
touch below/store
ln -s real link
mount -t tmpfs tmpfs real
# While something is mounted there, also twice, and through a link.
mount -t tmpfs tmpfs real
touch real/data
"$PROGRAM" guard "$DIRECTORY/link"
mountpoint -q real && test -e real/data && touch real/more || exit 1
umount real
umount real
! touch real/store 2>/dev/null && ! mkdir real/store 2>/dev/null || exit 2
# And again while nothing is mounted, now for a caller that ignores how its children end.
env --ignore-signal=CHLD "$PROGRAM" guard "$DIRECTORY/real" || exit 3
mount -t tmpfs tmpfs real && touch real/data && umount real || exit 4
! "$PROGRAM" guard "$DIRECTORY/below" 2>said && grep -q 'not empty below the mount' said || exit 5
"$PROGRAM" guard "$DIRECTORY/real" --lift && touch real/store || exit 6
"#;

testing::tests![nothing_can_be_written_below_a_guarded_mount_point];

fn main() -> ExitCode {
    let directory = tempfile::tempdir().unwrap();
    let missing = (!takes_the_flag(directory.path()))
        .then_some("needs root, and a file system whose files can be immutable");
    testing::run(&[TESTS], missing)
}

fn nothing_can_be_written_below_a_guarded_mount_point() {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", SCRIPT])
        .env("PROGRAM", env!("CARGO_BIN_EXE_kaiwudb-ha"))
        .env("DIRECTORY", directory.path())
        .run_ok(soon());
    // Or it could not be removed.
    set("-i", &directory.path().join("real"));
    output.unwrap();
}

fn takes_the_flag(directory: &Path) -> bool {
    ["+i", "-i"].iter().all(|flag| set(flag, directory))
}

fn set(flag: &str, path: &Path) -> bool {
    Command::new("chattr").arg(flag).arg(path).run_ok(soon()).is_ok()
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

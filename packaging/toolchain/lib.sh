# Shared by the scripts in this directory; sourced, not run.
# shellcheck shell=sh

# Progress and errors go to stderr: stdout belongs to the command that a script runs.
say() {
    printf '==> %s\n' "$*" >&2
}

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# What is built or installed is for every user, whatever the umask.
umask 022

# So that an interrupted script removes its temporary files: signals do not run an EXIT trap.
trap 'stop_apt; exit 130' INT TERM HUP

# The directory above packaging/, in which every script lies.
repository=$(cd "$(dirname "$0")" && pwd)
repository=${repository%/packaging*}

# shellcheck source=packaging/toolchain/apt.sh
. "$repository/packaging/toolchain/apt.sh"
# shellcheck source=packaging/toolchain/packages.sh
. "$repository/packaging/toolchain/packages.sh"

# new_enough COMMAND VERSION: whether the command runs and its version is at least this.
new_enough() {
    version=$("$1" --version 2>/dev/null | cut -d ' ' -f 2) && [ -n "$version" ] &&
        [ "$(printf '%s\n' "$2" "$version" | sort -V | head -n 1)" = "$2" ]
}

# Makes sure that PATH's cargo can build this workspace. One that is too old, or none, gives way to Debian's.
use_cargo() {
    wanted_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$repository/Cargo.toml")
    [ -n "$wanted_rust" ] || die "Cargo.toml has no rust-version"
    # cargo would look for the jobserver of a parallel make, whose descriptors a script does not inherit.
    unset MAKEFLAGS MFLAGS
    # Where nobody has logged in there may be none.
    export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d : -f 6)}"
    # Some crates compile C. The compiler alone may be there: the C library's headers are only recommended with it.
    { command -v cc >/dev/null && [ -e /usr/include/stdlib.h ]; } || need_packages gcc libc6-dev
    usable_cargo || use_debian_cargo
}

usable_cargo() {
    new_enough cargo "$wanted_rust" && new_enough rustc "$wanted_rust"
}

# Cargo fetches crates over HTTPS.
use_debian_cargo() {
    need_packages "rustc-web>=$wanted_rust" "cargo-web>=$wanted_rust" "rust-web-clippy>=$wanted_rust" "rustfmt-web>=$wanted_rust" \
        ca-certificates gcc libc6-dev
    PATH=/usr/bin:$PATH
    usable_cargo || die "Rust $wanted_rust or newer is needed; /usr/bin/rustc says: $(rustc --version 2>&1)"
}

# Dates in packages are those of the commit, so that the same commit gives the same bytes.
source_date_epoch() {
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$repository" log -1 --format=%ct 2>/dev/null || date -r "$repository/Cargo.lock" +%s)}
    export SOURCE_DATE_EPOCH
}

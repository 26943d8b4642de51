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

# So that an interrupted script removes its temporary files: signals do not run an EXIT trap.
trap 'exit 130' INT TERM HUP

# The directory above packaging/, in which every script lies.
repository=$(cd "$(dirname "$0")" && pwd)
repository=${repository%/packaging*}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# missing_of PACKAGE...: those that are not installed.
missing_of() {
    for package in "$@"; do
        installed "$package" || printf ' %s' "$package"
    done
}

# Installs the Debian packages that are missing. Silent and quick when there are none.
need_packages() {
    missing=$(missing_of "$@")
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        die "these Debian packages are needed, and this machine has no apt-get:$missing"
    [ "$(id -u)" -eq 0 ] ||
        die "these Debian packages are missing and only root can install them: run as root, or 'apt-get install$missing' first"
    # Targets of a parallel make take turns; the next one may find that all is there by then.
    (
        flock --timeout 1800 9 || die "another installation of packages does not end"
        # shellcheck disable=SC2046  # a list of words
        install_packages $(missing_of "$@")
    ) 9>/run/lock/kaiwudb-ha-packages
}

# install_packages [PACKAGE...]. Nothing that a package starts may keep the lock, file descriptor 9.
install_packages() {
    [ $# -gt 0 ] || return 0
    say "installing Debian packages: $*"
    case $* in *postgresql*) no_postgresql_server ;; esac
    if ! apt_get install -y --no-install-recommends "$@" >/dev/null 2>&1; then
        say "refreshing Debian's package lists"
        apt_get update || die "cannot read Debian's package lists"
        apt_get install -y --no-install-recommends "$@" || die "cannot install: $*"
    fi
}

# Only PostgreSQL's programs are wanted: Debian's package would start a server. A machine that has PostgreSQL keeps its
# settings.
no_postgresql_server() {
    settings=/etc/postgresql-common/createcluster.conf
    if ! installed postgresql-common && [ ! -e "$settings" ]; then
        mkdir -p "${settings%/*}"
        echo 'create_main_cluster = false' >"$settings"
    fi
}

# apt-get, quiet unless it fails. With deadlines: a mirror that hangs must not hang the build, and dpkg may be busy with
# someone else's installation.
apt_get() {
    apt_log=$(mktemp)
    if DEBIAN_FRONTEND=noninteractive timeout --kill-after=10 900 apt-get \
        -o Acquire::http::Timeout=30 -o Acquire::Retries=2 -o DPkg::Lock::Timeout=300 \
        "$@" >"$apt_log" 2>&1 </dev/null 9>&-; then
        rm -f "$apt_log"
        return 0
    fi
    tail -n 15 "$apt_log" >&2
    rm -f "$apt_log"
    return 1
}

# new_enough COMMAND VERSION: whether the command runs and its version is at least this.
new_enough() {
    version=$("$1" --version 2>/dev/null | cut -d ' ' -f 2) && [ -n "$version" ] &&
        [ "$(printf '%s\n' "$2" "$version" | sort -V | head -n 1)" = "$2" ]
}

# Makes sure that PATH's cargo can build this workspace. One that is too old, or none, gives way to Debian's.
use_cargo() {
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$repository/Cargo.toml")
    [ -n "$wanted" ] || die "Cargo.toml has no rust-version"
    # cargo would look for the jobserver of a parallel make, whose descriptors a script does not inherit.
    unset MAKEFLAGS MFLAGS
    # Some crates compile C.
    command -v cc >/dev/null || need_packages gcc libc6-dev
    usable_cargo || use_debian_cargo
}

usable_cargo() {
    new_enough cargo "$wanted" && new_enough rustc "$wanted"
}

use_debian_cargo() {
    need_packages rustc-web cargo-web rust-web-clippy rustfmt-web gcc libc6-dev
    PATH=/usr/bin:$PATH
    usable_cargo || die "Rust $wanted or newer is needed; /usr/bin/rustc says: $(rustc --version 2>&1)"
}

# Dates in packages are those of the commit, so that the same commit gives the same bytes.
source_date_epoch() {
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$repository" log -1 --format=%ct 2>/dev/null || date -r "$repository/Cargo.lock" +%s)}
    export SOURCE_DATE_EPOCH
}

#!/bin/bash
# Tests of need.sh: the real apt and dpkg, with lists, status and archives of their own, in namespaces of their own; nothing of
# this machine changes.
#
#   packaging/toolchain/test.sh [TEST...]
set -euo pipefail
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/lib.sh"
need=$repository/packaging/toolchain/need.sh

# --- what a test works with ---------------------------------------------------------------------------------------------------

# package NAME VERSION [FIELD...]: puts it into the archive.
package() {
    local tree=$work/tree
    rm -rf "$tree"
    mkdir -p "$tree/DEBIAN"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody\nDescription: for a test\n' "$1" "$2"
        [ $# -lt 3 ] || printf '%s\n' "${@:3}"
    } >"$tree/DEBIAN/control"
    dpkg-deb --build "$tree" "$work/archive/$1_$2.deb" >/dev/null
    publish
}

# withdraw FILE: takes a package out of the archive.
withdraw() {
    rm "$work/archive/$1"
    publish
}

publish() {
    local deb
    for deb in "$work"/archive/*.deb; do
        [ -e "$deb" ] || continue
        dpkg-deb --field "$deb"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d ' ' -f 1)"
    done >"$work/archive/Packages"
}

# sources URI... (of "file:" archives apt would keep no lists).
sources() {
    printf 'deb [trusted=yes] %s ./\n' "$@" >/etc/apt/sources.list
}

# What the lists know is a month old.
age_lists() {
    find /var/lib/apt/lists -exec touch -d '30 days ago' {} +
}

# need WANTED...: what it says is in "said", how it ended in "status".
need() {
    status=0
    said=$("$need" "$@" 2>&1) || status=$?
}

fail() {
    printf '%s\n--- it said:\n%s\n' "$*" "${said:-}" >&2
    exit 1
}

# has PACKAGE VERSION
has() {
    [ "$(installed_version "$1")" = "$2" ] || fail "$1 is at version '$(installed_version "$1")', not $2"
}

succeeds() {
    [ "$status" -eq 0 ] || fail "it ended with $status"
}

# refuses PATTERN: one line that says why, and nothing but progress.
refuses() {
    [ "$status" -ne 0 ] || fail "it succeeded"
    [ "$(grep -vc '^==>' <<<"$said")" -eq 1 ] || fail "it said more or less than one sentence"
    grep -qE "^error: .*$1" <<<"$said" || fail "it did not say '$1'"
}

# --- tests --------------------------------------------------------------------------------------------------------------------

test_what_is_missing_is_installed_and_the_next_call_is_silent() {
    package tool 1.0
    need tool
    succeeds
    has tool 1.0
    need tool
    succeeds
    [ -z "$said" ] || fail "the second call spoke"
}

test_old_lists_are_refreshed_before_anything_is_installed() {
    package rust 1.85
    apt-get update >/dev/null
    package rust 1.96
    age_lists
    need rust
    succeeds
    has rust 1.96
}

test_lists_of_today_are_not_refreshed() {
    package tool 1.0
    apt-get update >/dev/null
    need tool
    succeeds
    grep -q refreshing <<<"$said" && fail "it refreshed the lists"
    has tool 1.0
}

test_lists_that_lead_to_what_has_left_the_archive_are_refreshed() {
    package tool 1.0
    apt-get update >/dev/null
    withdraw tool_1.0.deb
    package tool 1.1
    need tool
    succeeds
    has tool 1.1
}

test_what_is_too_old_is_upgraded() {
    package rust 1.85
    need rust
    package rust 1.96
    need 'rust>=1.85'
    succeeds
    has rust 1.85
    need 'rust>=1.88'
    succeeds
    has rust 1.96
}

test_an_archive_without_a_new_enough_version() {
    package rust 1.85
    need 'rust>=1.88'
    refuses "cannot install rust>=1.88: the archives in apt's sources have 1.85 as the newest rust"
    need nothing-like-it
    refuses "cannot install nothing-like-it: the archives in apt's sources have none as the newest nothing-like-it"
}

# qemu-utils of the backports breaks this release's qemu-system-common, and apt removes it.
test_what_apt_would_remove_is_there_afterwards() {
    package utils 10 'Breaks: common (<< 8)'
    need utils
    withdraw utils_10.deb
    package utils 7
    package common 7
    package system 7 'Depends: common (= 7)'
    need system utils
    succeeds
    has system 7
    has utils 7
}

test_nothing_is_removed_that_cannot_come_back() {
    package theirs 1 'Breaks: ours'
    need theirs
    withdraw theirs_1.deb
    package ours 1
    need ours
    refuses 'cannot install ours: apt would remove theirs, no version of which can stay beside it'
    has theirs 1
}

# rustc-web is rustc, newer.
test_what_a_package_replaces_may_go() {
    package rustc 1.63
    need rustc
    package rustc-web 1.96 'Provides: rustc (= 1.96)' 'Conflicts: rustc'
    need 'rustc-web>=1.88'
    succeeds
    has rustc-web 1.96
}

test_an_interrupted_installation_is_completed() {
    package half 1
    package tool 1
    dpkg --unpack "$work/archive/half_1.deb" >/dev/null
    # What dpkg leaves that was killed: a state that is not yet part of the others.
    dpkg-query --status half >/var/lib/dpkg/updates/0000
    need tool
    succeeds
    has tool 1
    has half 1
}

test_an_archive_of_somebody_else_that_is_gone_does_not_matter() {
    package tool 1
    sources "copy:$work/archive" "copy:$work/gone"
    need tool
    succeeds
    has tool 1
}

test_two_at_once() {
    package tool 1
    package other 1
    "$need" tool other >/dev/null 2>&1 &
    need other tool
    succeeds
    wait $! || fail "the other one failed"
    has tool 1
}

test_without_a_network() {
    sources http://archive.invalid/debian
    need tool
    refuses 'cannot install tool: no archive of Debian can be reached'
}

test_a_proxy_that_refuses() {
    ip link set lo up
    sources http://archive.invalid/debian
    export http_proxy=http://127.0.0.1:1
    need tool
    refuses 'cannot install tool: the proxy http://127.0.0.1:1 does not let apt through .*Connection refused'
}

# listen: a server on 127.0.0.1:8099 that answers nothing.
listen() {
    ip link set lo up
    perl -MIO::Socket::INET -e '
        my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1:8099", Listen => 9) or die;
        $| = 1; print "ready\n"; my @kept; push @kept, $server->accept while 1' >"$work/listener" &
    until grep -q ready "$work/listener"; do sleep 0.05; done
}

test_a_mirror_that_hangs() {
    listen
    sources http://127.0.0.1:8099/debian
    need tool
    refuses 'cannot install tool: the archive of Debian does not answer'
    [ "$SECONDS" -lt 90 ] || fail "it took $SECONDS s"
}

# After the lists were read: not once for each of many packages.
test_a_mirror_that_begins_to_hang() {
    listen
    local name
    for name in a b c d e f g h; do package "tool-$name" 1; done
    mkdir -p /var/lib/apt/lists
    sources http://127.0.0.1:8099/debian
    cp "$work/archive/Packages" /var/lib/apt/lists/127.0.0.1:8099_debian_._Packages
    need tool-a tool-b tool-c tool-d tool-e tool-f tool-g tool-h
    refuses 'cannot install tool-a .*: the archive of Debian does not answer'
    [ "$SECONDS" -lt 120 ] || fail "it took $SECONDS s"
}

test_a_signal_ends_it_at_once() {
    listen
    sources http://127.0.0.1:8099/debian
    TMPDIR=$work/archive "$need" tool >/dev/null 2>&1 &
    local needs=$!
    # It is apt that it waits for.
    until [ -n "$(cat "/proc/$needs/task/$needs/children")" ] && compgen -G "$work/archive/tmp.*" >/dev/null; do sleep 0.05; done
    SECONDS=0
    kill -TERM "$needs"
    wait "$needs" && fail "it succeeded"
    [ "$SECONDS" -lt 5 ] || fail "it took $SECONDS s"
    ! compgen -G "$work/archive/tmp.*" >/dev/null || fail "it left a file"
}

test_no_space() {
    package tool 1
    mount -t tmpfs -o size=64k none /var/lib/dpkg
    cp -R "$work/dpkg/." /var/lib/dpkg
    dd if=/dev/zero of=/var/lib/dpkg/full bs=1k count=100 2>/dev/null || true
    need tool
    refuses 'cannot install tool: there is no space left on /var/lib/dpkg'
}

test_not_root() {
    status=0
    # The checkout may be root's alone.
    local open
    open=$(mktemp -d)
    mkdir "$open/packaging"
    cp -R "${need%/*}" "$open/packaging/toolchain"
    cp "$repository/Cargo.toml" "$open"
    chmod -R a+rX "$open"
    said=$(setpriv --reuid 65534 --clear-groups "$open/packaging/toolchain/need.sh" tool 'rust>=1.88' 2>&1) || status=$?
    rm -r "$open"
    refuses "only root can install them: tool rust>=1.88; run as root, or 'apt-get update && apt-get install tool rust' first"
}

test_no_apt() {
    local programs=$work/programs program
    mkdir "$programs"
    for program in sh dirname dpkg dpkg-query sed head id; do
        ln -s "$(command -v "$program")" "$programs/$program"
    done
    status=0
    said=$(PATH=$programs "$need" tool 2>&1) || status=$?
    refuses 'these Debian packages are needed, and this machine has no apt-get: tool'
}

# --- running them -------------------------------------------------------------------------------------------------------------

# In its own namespaces: an apt and a dpkg that know nothing yet.
if [ "${1:-}" = --inside ]; then
    work=$3
    mkdir -p "$work/archive" "$work"/{etc,state,cache,dpkg}
    mkdir -p "$work"/etc/{apt.conf.d,preferences.d,sources.list.d,trusted.gpg.d} "$work"/state/lists/partial \
        "$work"/cache/archives/partial "$work"/dpkg/{info,updates,triggers,parts,alternatives}
    touch "$work/dpkg/status" "$work/dpkg/available"
    mount --bind "$work/etc" /etc/apt
    mount --bind "$work/state" /var/lib/apt
    mount --bind "$work/cache" /var/cache/apt
    mount --bind "$work/dpkg" /var/lib/dpkg
    mount -t tmpfs lock /run/lock
    unset http_proxy https_proxy
    sources "copy:$work/archive"
    publish
    SECONDS=0
    "$2"
    exit
fi

[ "$(id -u)" -eq 0 ] || die "run it as root: apt and dpkg are tested in namespaces"
tests=("$@")
[ $# -gt 0 ] || mapfile -t tests < <(compgen -A function test_)
directory=$(mktemp -d)
chmod 0755 "$directory"
trap 'rm -rf "$directory"' EXIT
pids=()
# All at once: most of the time they wait for a server that does not answer.
for name in "${tests[@]}"; do
    mkdir "$directory/$name"
    setpriv --pdeathsig KILL unshare --mount --net --pid --mount-proc --fork --kill-child \
        "$0" --inside "$name" "$directory/$name" >"$directory/$name.log" 2>&1 &
    pids+=($!)
done
passed=0
failed=0
for index in "${!tests[@]}"; do
    name=${tests[index]}
    if wait "${pids[index]}"; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        cat "$directory/$name.log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

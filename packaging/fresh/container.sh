#!/bin/bash
# A bare Debian as a container: a directory and namespaces, which end with the process that has called this.
#
#   packaging/fresh/container.sh create|remove DIRECTORY/SUITE-LISTS.NUMBER
#   packaging/fresh/container.sh run DIRECTORY/SUITE-LISTS.NUMBER COMMAND...
#
# SUITE and LISTS as for test.sh. FRESH_TIMEOUT is the longest, in seconds, that a command may run.
set -euo pipefail
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/../toolchain/lib.sh"

action=$1
directory=$2
shift 2
name=${directory##*/}
suite=${name%%-*}
lists=${name#*-}
lists=${lists%.*}
root=$directory/root
copy="/root/kaiwudb ha"

# One machine's settings are common ones, the other's are not.
case $lists in
empty) settings=() ;;
old) settings=(HOME=/home/empty LANG=zh_CN.UTF-8) ;;
esac
# Besides them a container gets of this machine's environment only the way to the archives.
for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!variable:-}" ] || settings+=("$variable=${!variable}")
done

# groups: a control group for the container in each hierarchy in which systemd keeps its units.
groups() {
    awk '/ - cgroup2 / || / - cgroup .*name=systemd/ { print $5 "/kaiwudb-ha-fresh" }' /proc/self/mountinfo
}

# held UNSHARE'S OPTION... COMMAND...: with mounts and processes of its own, which end with this shell or when the time is over.
held() {
    exec setpriv --pdeathsig KILL timeout --signal KILL "${FRESH_TIMEOUT:-3600}" \
        setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child "$@"
}

# run COMMAND...: in the repository's copy, once it is there.
run() {
    local group hierarchies=()
    while read -r group; do
        mkdir -p "$group/$name"
        echo "$BASHPID" >"$group/$name/cgroup.procs"
        hierarchies+=("${group%/*}" "$group/$name")
    done < <(groups)
    held --uts --ipc --cgroup env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${settings[@]}" \
        bash -c "$(<"$repository/packaging/fresh/first.sh")" first "$root" "$copy" "${#hierarchies[@]}" "${hierarchies[@]}" "$@"
}

# archive LABEL: that archive which this machine's own apt uses.
archive() {
    # shellcheck disable=SC2016  # apt's own
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Label: $1" | head -n 1
}

create() {
    local main security
    main=$(archive Debian)
    security=$(archive Debian-Security)
    [ -n "$main$security" ] || die "apt knows no archive of Debian on this machine: run 'apt-get update'"
    mkdir "$directory/tmp"
    (TMPDIR=$directory/tmp held --mount-proc mmdebstrap --quiet --variant=minbase "$suite" "$root" "deb $main $suite main")
    # What an administrator would have set up: the way to the archives and the site's certificates.
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    [ ! -d /usr/local/share/ca-certificates ] || cp -R /usr/local/share/ca-certificates "$root/usr/local/share/"
    apt-config dump --format '%f "%v";%n' Acquire::http::Proxy Acquire::https::Proxy >"$root/etc/apt/apt.conf.d/50proxy"
    mkdir "$root/home/empty"
    [ "$lists" = empty ] || age
    printf 'deb %s main\n' "$main $suite" "$main $suite-updates" "$security $suite-security" >"$root/etc/apt/sources.list"
    mkdir -m 0700 "$root$copy"
    git -C "$repository" archive HEAD | (umask 077 && tar -x --no-same-permissions -C "$root$copy")
    (run packaging/toolchain/need.sh make)
}

# A month ago: before the Rust of today came with an update of the release.
age() {
    local rust='rustc cargo'
    [ "$suite" != bookworm ] || rust='rustc-web cargo-web'
    (run sh -c "apt-get update && apt-get install -y --no-install-recommends make locales $rust && apt-get clean &&
        localedef -i zh_CN -f UTF-8 zh_CN.UTF-8")
    find "$root/var/lib/apt/lists" -exec touch -d '30 days ago' {} +
}

# Its processes may take a moment to end, and keep their control groups until then.
remove() {
    local group left attempt
    for attempt in $(seq 50); do
        left=
        rm -rf --one-file-system "$directory" 2>/dev/null || left=$directory
        while read -r group; do
            find "$group/$name" -depth -type d -exec rmdir {} + 2>/dev/null || true
            rmdir "$group" 2>/dev/null || true
            [ ! -e "$group/$name" ] || left=$group/$name
        done < <(groups)
        [ -n "$left" ] || return 0
        sleep 0.2
    done
    die "cannot remove $left in $attempt attempts"
}

"$action" "$@"

# A bare Debian as a container: a directory, and namespaces that end with the script that sources this.
# shellcheck shell=bash disable=SC2154  # repository, here, cache and timeout are set by that script

# What a machine needs to reach the archives; nothing else of this one's environment gets into a container.
network=()
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name:-}" ] || network+=("$name=${!name}")
done

# archive LABEL: that archive which the machine's own apt uses.
archive() {
    # shellcheck disable=SC2016  # apt's own
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Label: $1" | head -n 1
}
main=$(archive Debian)
security=$(archive Debian-Security)

directory=
child=

# begin MACHINE: a directory for it, locked as long as this script lives.
begin() {
    suite=${1%-*}
    lists=${1#*-}
    directory=$cache/$1.$$
    root=$directory/root
    mkdir -p "$directory"
    exec 8>"$directory/lock"
    flock --nonblock 8
    # One machine's settings are common ones, the other's are not.
    case $lists in
    empty) settings=() ;;
    old) settings=(HOME=/home/empty LANG=zh_CN.UTF-8) ;;
    esac
}

end() {
    [ -n "$directory" ] || return 0
    stop
    remove "$directory"
    exec 8>&-
    directory=
}

# Everything in a container goes with its first process.
stop() {
    [ -n "$child" ] || return 0
    # shellcheck disable=SC2046  # a list of words
    kill -KILL $(cat "/proc/$child/task/$child/children") 2>/dev/null || true
    kill -KILL "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
    child=
}

# remove DIRECTORY: with its control groups. Its processes may take a moment to end.
remove() {
    local attempt hierarchy
    for attempt in $(seq 50); do
        for hierarchy in $(hierarchies); do
            find "$hierarchy/kaiwudb-ha-fresh/${1##*/}" -depth -type d -exec rmdir {} + 2>/dev/null || true
            rmdir "$hierarchy/kaiwudb-ha-fresh" 2>/dev/null || true
        done
        rm -rf --one-file-system "$1" 2>/dev/null && return 0
        sleep 0.2
    done
    die "cannot remove $1 (attempt $attempt)"
}

# What runs that were killed left.
remove_leftovers() {
    local left
    for left in "$cache"/*/; do
        [ -d "$left" ] || continue
        if flock --nonblock "$left/lock" true; then
            remove "${left%/}"
        fi
    done
}

trap 'end' EXIT

# Where systemd keeps its units: the unified hierarchy or its own.
hierarchies() {
    awk '/ - cgroup2 / || / - cgroup .*name=systemd/ { print $5 }' /proc/self/mountinfo
}

# waited COMMAND...: in the background, so that a signal ends this script at once.
waited() {
    "$@" </dev/null 8>&- &
    child=$!
    local status=0
    wait "$child" || status=$?
    child=
    return "$status"
}

# held NAMESPACE... COMMAND...: with processes and mounts of its own, which end with this shell or when the time is over.
held() {
    exec setpriv --pdeathsig KILL timeout --signal KILL "$timeout" \
        setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child "$@"
}

make_root() {
    mkdir -p "$directory/tmp"
    (TMPDIR=$directory/tmp held --mount-proc mmdebstrap --quiet --variant=minbase "$suite" "$root" \
        "deb $main $suite main")
    # What an administrator would have set up: the way to the archives and the site's certificates.
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    cp -R /usr/local/share/ca-certificates "$root/usr/local/share/" 2>/dev/null || true
    apt-config dump --format '%f "%v";%n' Acquire::http::Proxy Acquire::https::Proxy >"$root/etc/apt/apt.conf.d/50proxy"
    mkdir -p "$root/home/empty"
    [ "$lists" = empty ] || make_old
    printf 'deb %s main\n' "$main $suite" "$main $suite-updates" "$security $suite-security" >"$root/etc/apt/sources.list"
    mkdir -m 0700 "$root/root/kaiwudb ha"
    git -C "$repository" archive HEAD | (umask 077 && tar -x --no-same-permissions -C "$root/root/kaiwudb ha")
    if [ "$lists" = empty ]; then
        (contained packaging/toolchain/need.sh make)
    fi
}

# A month ago, before the last release of Rust came with a security update.
make_old() {
    local rust='rustc cargo'
    [ "$suite" != bookworm ] || rust='rustc-web cargo-web'
    (contained sh -c "apt-get update && apt-get install -y --no-install-recommends make locales $rust && apt-get clean &&
        localedef -i zh_CN -f UTF-8 zh_CN.UTF-8")
    find "$root/var/lib/apt/lists" -exec touch -d '30 days ago' {} +
}

# contained COMMAND...: in the container, in the repository if it is there already.
contained() {
    local hierarchy groups=()
    for hierarchy in $(hierarchies); do
        mkdir -p "$hierarchy/kaiwudb-ha-fresh/${directory##*/}"
        echo "$BASHPID" >"$hierarchy/kaiwudb-ha-fresh/${directory##*/}/cgroup.procs"
        groups+=("$hierarchy" "$hierarchy/kaiwudb-ha-fresh/${directory##*/}")
    done
    held --uts --ipc --cgroup env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${network[@]}" "${settings[@]}" \
        bash -c "$(<"$here/first.sh")" first "$root" "${#groups[@]}" "${groups[@]}" "$@"
}

#!/bin/sh
# The nodes' root file system: one Debian tree per suite and list of packages, built once and kept in
# $KAIWUDB_HA_CACHE/images (by default /var/cache/kaiwudb-ha). Prints the tree's path.
#
#   image.sh SUITE [PACKAGE...]                  the tree, built now if it is not there
#   image.sh --into TREE SUITE OPTION...         only unpacks it into a new directory, with more of mmdebstrap's options
#
# A script, so that `make` can build the tree before and while the lab is compiled.
# shellcheck disable=SC2016  # what is quoted is expanded elsewhere
set -eu

# In every suite. Recommended packages are not installed.
packages='corosync crmsh curl dbus drbd-utils e2fsprogs iproute2 iputils-arping iputils-ping kmod libxml2-utils nftables openssl
    pacemaker pacemaker-cli-utils pcs postgresql procps psmisc python3 resource-agents sudo systemd systemd-sysv udev xfsprogs
    xsltproc'
# Documentation nobody reads in a throw-away node; half of the time of unpacking.
excluded='/usr/share/doc/* /usr/share/man/* /usr/share/locale/*'
# Runs before the packages are configured: Debian must not create a database cluster of its own.
before='mkdir -p "$1/etc/postgresql-common" &&
echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"'
# Runs at the end: nothing starts at boot unless the lab says so, and nothing asks the network.
after='for unit in corosync pacemaker pcsd pcsd-ruby postgresql logd drbd; do
  chroot "$1" systemctl disable "$unit.service" || true
done 2>/dev/null
chroot "$1" systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer man-db.timer logrotate.timer console-getty.service getty.target \
  systemd-networkd.service systemd-resolved.service 2>/dev/null
chroot "$1" systemctl set-default multi-user.target 2>/dev/null
rm -f "$1/etc/machine-id" "$1/etc/hostname" && touch "$1/etc/machine-id"'
# Building may take this long, with a slow mirror.
longest=900

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The mirror that this machine's own apt uses.
mirror() {
    [ -z "${KAIWUDB_HA_MIRROR:-}" ] || {
        echo "$KAIWUDB_HA_MIRROR"
        return
    }
    uri=$(timeout 20 apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
    [ -n "$uri" ] || die "apt knows no Debian mirror: run 'apt-get update' or set KAIWUDB_HA_MIRROR"
    echo "$uri"
}

# bootstrap TREE SUITE [OPTION...]. In the background, so that a signal is heeded at once.
bootstrap() {
    tree=$1
    suite=$2
    shift 2
    for path in $excluded; do
        set -- "--dpkgopt=path-exclude=$path" "$@"
    done
    # A mirror that stands still keeps an index that says of itself that it is for a week.
    case $suite in
    forky | sid) set -- '--aptopt=Acquire::Check-Valid-Until "false"' "$@" ;;
    esac
    from=$(mirror)
    rm -rf "$tree"
    # The main suite only: the security index of an old release names packages that are gone.
    timeout --kill-after=10 "$longest" mmdebstrap --variant=minbase --dpkgopt=force-unsafe-io \
        --aptopt='Acquire::Languages "none"' --include="$(printf %s "$packages" | tr -s ' \n' ,)" --essential-hook="$before" \
        --customize-hook="$after" "$@" "$suite" "$tree" "deb $from $suite main" </dev/null >&2 9>&- &
    child=$!
    wait "$child" || die "mmdebstrap failed for $suite (exit $?)"
    child=
}

child=
partial=
# shellcheck disable=SC2317  # called by the trap
end() {
    trap '' INT TERM HUP
    [ -z "$child" ] || { kill "$child" && wait "$child"; } 2>/dev/null || true
    [ -z "$partial" ] || rm -rf "$partial"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

# Patterns are for dpkg.
set -f
if [ "$1" = --into ]; then
    shift
    bootstrap "$@"
    exit 0
fi
suite=$1
shift
images=${KAIWUDB_HA_CACHE:-/var/cache/kaiwudb-ha}/images
mkdir -p "$images"
# A changed recipe is another image.
recipe=$(printf '%s\n' "$suite" "$packages" "$*" "$excluded" "$before" "$after" | sha256sum | cut -c 1-16)
image=$images/$suite-$recipe
if [ ! -d "$image" ]; then
    exec 9>"$images/$suite.lock"
    flock --timeout "$longest" 9 || die "another process has been building $suite for $longest s"
fi
# Another process may have built it meanwhile.
if [ ! -d "$image" ]; then
    began=$(date +%s)
    partial=$image.partial
    echo "building the $suite image in $image (about a minute)" >&2
    [ $# -eq 0 ] || packages="$packages $*"
    bootstrap "$partial" "$suite"
    mv "$partial" "$image"
    partial=
    echo "built the $suite image in $(($(date +%s) - began)) s" >&2
fi
echo "$image"

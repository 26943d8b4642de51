#!/bin/sh
# Stands in for drbdadm, drbdsetup, modprobe and modinfo of one node with one resource, r0. Its state are the files in
# /run/drbd; /run/drbd/changes is followed by events2. Every call is written to /run/drbd/calls.
set -u

S=/run/drbd
tool=${0##*/}
echo "$tool $*" >>$S/calls
[ ! -e "$S/hang" ] || exec sleep 100
get() { cat "$S/$1"; }
put() { printf '%s' "$2" >"$S/$1"; }
tell() { echo "change $*" >>$S/changes; }
refuse() {
    echo "r0: State change failed: ($2) $3" >&2
    exit "$1"
}

dump() {
    if [ -e $S/up ]; then
        echo "exists resource name:r0 role:$(get role) suspended:no"
        [ ! -e $S/link ] ||
            echo "exists connection name:r0 peer-node-id:1 conn-name:b connection:$(get link) role:$(get peer-role)"
        [ ! -e $S/tiebreaker ] ||
            echo "exists connection name:r0 peer-node-id:2 conn-name:c connection:$(get tiebreaker) role:Secondary"
        echo "exists device name:r0 volume:0 minor:7 disk:$(get disk) client:no quorum:$(get quorum) size:1000"
        [ ! -e $S/link ] ||
            echo "exists peer-device name:r0 peer-node-id:1 conn-name:b volume:0 replication:$(get replication) peer-disk:$(get peer-disk) resync-suspended:no out-of-sync:$(get out-of-sync)"
        [ ! -e $S/tiebreaker ] ||
            echo "exists peer-device name:r0 peer-node-id:2 conn-name:c volume:0 replication:Established peer-disk:Diskless peer-client:yes resync-suspended:no out-of-sync:0"
    fi
    echo "exists -"
}

up() {
    [ -e $S/up ] || put role Secondary
    [ -e $S/no-disk ] && put disk Diskless
    : >$S/up
}

case "$tool $*" in
    "modprobe -s drbd"*) mkdir /sys/module/drbd && cp $S/version /sys/module/drbd/version ;;
    modinfo*) cat $S/version ;;
    "drbdsetup events2 --now --statistics r0")
        [ ! -e "$S/hang-after-refusal" ] || ! grep -q "primary\|secondary\|down" $S/calls || exec sleep 100
        dump
        ;;
    "drbdsetup events2 r0")
        # As on a busy node: what happens meanwhile is in the state at most, and a helper's call is not.
        [ ! -e $S/slow ] || sleep 1
        seen=$(wc -l <$S/changes)
        state=$(dump)
        # Before the state is out: whoever has read it may end this.
        echo "$tool has looked at the state" >>$S/calls
        echo "$state"
        exec tail -n +$((seen + 1)) -f $S/changes
        ;;
    "drbdsetup primary r0" | "drbdsetup primary 7")
        [ "$(get quorum)" = yes ] || refuse 11 -25 "No quorum"
        [ "$(get peer-role)" != Primary ] || refuse 11 -1 "Multiple primaries not allowed by config"
        [ "$(get disk)" = UpToDate ] || refuse 17 -2 "Need access to UpToDate data"
        put role Primary
        tell resource name:r0 role:Primary
        ;;
    "drbdsetup secondary r0" | "drbdsetup secondary 7")
        [ ! -e $S/held ] || refuse 11 -12 "Device is held open by someone"
        put role Secondary
        tell resource name:r0 role:Secondary
        ;;
    "drbdsetup down r0")
        [ ! -e $S/held-down ] || refuse 11 -12 "Device is held open by someone"
        rm -f $S/up
        echo "destroy resource name:r0" >>$S/changes
        ;;
    drbdadm*sh-mod-parms*) echo minor_count=32 ;;
    drbdadm*sh-dev*) [ -e $S/configured ] && echo /dev/drbd7 ;;
    drbdadm*dump-xml*) cat $S/dump.xml ;;
    drbdadm*check-resize*) ;;
    drbdadm*adjust* | drbdadm*new-resource* | drbdadm*new-minor* | drbdadm*attach*) up ;;
    drbdadm*outdate*) put disk Outdated ;;
    *)
        echo "$tool: unknown call $*" >&2
        exit 20
        ;;
esac

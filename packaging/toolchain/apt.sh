# Runs apt-get with deadlines, and tells in one sentence why it failed. Sourced by lib.sh.
# shellcheck shell=sh

# What one call may take.
apt_limit=900
apt_process=
apt_log=
apt_said=
apt_status=0

# apt_get ARGUMENT...: what it says is in apt_said afterwards. A mirror that hangs must not hang the build; dpkg may be busy with
# someone else's installation.
apt_get() {
    apt_log=$(mktemp) || die "cannot write to ${TMPDIR:-/tmp}"
    # In the background, so that a signal ends this script at once. Nothing that apt starts may keep the lock, file descriptor 9.
    LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive timeout --kill-after=10 "$apt_limit" apt-get --assume-yes \
        -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 -o Acquire::Retries=1 -o DPkg::Lock::Timeout=300 \
        "$@" >"$apt_log" 2>&1 </dev/null 9>&- &
    apt_process=$!
    case " $* " in *' install '*) give_up_early & ;; esac
    apt_status=0
    wait "$apt_process" 2>/dev/null || apt_status=$?
    apt_process=
    apt_said=$(cat "$apt_log")
    rm -f "$apt_log"
    return "$apt_status"
}

# Ends an installation with the first file that nobody sends: apt would wait for each of the others as long.
give_up_early() {
    tail -n +1 -s 0.5 -f --pid="$apt_process" "$apt_log" 2>/dev/null |
        grep -q -m 1 -E '^  .*(Connection failed|timed out)' && kill "$apt_process"
} 2>/dev/null 9>&-

# For a script that is interrupted.
stop_apt() {
    [ -z "$apt_process" ] || kill "$apt_process" 2>/dev/null || true
    [ -z "$apt_log" ] || rm -f "$apt_log"
}

# apt_reason: why the last call failed, as the end of a sentence.
apt_reason() {
    # apt's first complaint, without the file that it was about.
    complaint=$(printf '%s\n' "$apt_said" | sed -n -e 's/^[EW]: \(Failed to fetch [^ ]* *\)\{0,1\}//p' -e 's/^  \(Connection failed.*\)/\1/p' |
        head -n 1)
    proxy=$(apt-config dump --format '%v' Acquire::http::Proxy 2>/dev/null)
    proxy=${proxy:-${http_proxy:-}}
    full=$(full_file_system)
    if [ -n "$full" ]; then
        echo "there is no space left on $full"
    elif [ "$apt_status" -eq 124 ]; then
        echo "apt-get did not end within $apt_limit s; ${proxy:-the archive of Debian} may be too slow"
    else
        case $proxy:$complaint in
        *'enough free space'* | *'No space left'*) echo "there is no space left ($complaint)" ;;
        :*resolv* | :*'etwork is unreachable'*)
            echo "no archive of Debian can be reached, so there is no network, or a proxy has to be named in http_proxy ($complaint)"
            ;;
        :*onnect* | :*'timed out'*) echo "the archive of Debian does not answer ($complaint)" ;;
        *:*onnect* | *:*'timed out'* | *:*resolv* | *:40[37]*) echo "the proxy $proxy does not let apt through ($complaint)" ;;
        *) echo "${complaint:-apt-get ended with status $apt_status}" ;;
        esac
    fi
}

# Where apt writes, if nothing more fits there.
full_file_system() {
    df --portability --block-size=1M /var/cache/apt /var/lib/apt /var/lib/dpkg /usr 2>/dev/null |
        awk 'NR > 1 && $4 < 1 && !found++ { print $6 }'
}

# Debian packages: installed when they are missing or too old. Sourced by lib.sh.
# shellcheck shell=sh disable=SC2154  # apt_said is set by apt_get

# Where the calls of a parallel make take turns.
packages_lock=/run/lock/kaiwudb-ha-packages
apt_lists=/var/lib/apt/lists

# installed_version PACKAGE: or nothing. One line, even if it is installed for several architectures.
installed_version() {
    dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p' | head -n 1
}

# will_do VERSION WANTED: whether that version of what is wanted, NAME or 'NAME>=VERSION', will do.
will_do() {
    case $2 in
    *'>='*) [ -n "$1" ] && dpkg --compare-versions "$1" ge "${2#*>=}" ;;
    *) [ -n "$1" ] ;;
    esac
}

# wanting WANTED...: those that are missing or too old.
wanting() {
    for wanted in "$@"; do
        will_do "$(installed_version "${wanted%%>=*}")" "$wanted" || printf ' %s' "$wanted"
    done
}

# names_of WANTED...
names_of() {
    for wanted in "$@"; do
        printf ' %s' "${wanted%%>=*}"
    done
}

# need_packages WANTED...: installs what is missing or too old. Silent and quick when nothing is.
need_packages() {
    missing=$(wanting "$@")
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        die "these Debian packages are needed, and this machine has no apt-get:$missing"
    # shellcheck disable=SC2086  # a list of words
    [ "$(id -u)" -eq 0 ] ||
        die "these Debian packages are missing or too old, and only root can install them:$missing; run as root, or 'apt-get update && apt-get install$(names_of $missing)' first"
    mkdir -p "${packages_lock%/*}"
    exec 9>"$packages_lock"
    flock --timeout 1800 9 || die "another installation of packages did not end within 1800 s"
    # Another target of a parallel make may have installed them by now.
    # shellcheck disable=SC2046  # a list of words
    install_packages $(wanting "$@")
    exec 9>&-
}

install_packages() {
    [ $# -gt 0 ] || return 0
    say "installing Debian packages: $*"
    case $* in *postgresql*) no_postgresql_server ;; esac
    case $* in *prometheus*) no_prometheus_server ;; esac
    # An installation that was interrupted has to be completed before apt does anything.
    dpkg --configure --pending >/dev/null 2>&1 </dev/null 9>&- || true
    refreshed=
    ! lists_are_old || refresh_lists "$@"
    # What the lists name may have left the archive, or be too old.
    install_from_lists "$@" ||
        { [ -z "$refreshed$(unanswered)" ] && refresh_lists "$@" && install_from_lists "$@"; } ||
        die "cannot install $*: $why"
}

unanswered() {
    printf '%s\n' "$apt_said" | grep -m 1 -E 'Connection failed|timed out|resolving'
}

# Only Prometheus' programs are wanted: Debian's package would start a server that listens everywhere. `systemctl unmask prometheus` ends that.
no_prometheus_server() {
    unit=/etc/systemd/system/prometheus.service
    if [ -z "$(installed_version prometheus)" ] && [ ! -e "$unit" ] && [ ! -L "$unit" ]; then
        mkdir -p "${unit%/*}"
        ln -s /dev/null "$unit"
    fi
}

# Only PostgreSQL's programs are wanted: Debian's package would start a server. A machine that has PostgreSQL keeps its
# settings.
no_postgresql_server() {
    settings=/etc/postgresql-common/createcluster.conf
    if [ -z "$(installed_version postgresql-common)" ] && [ ! -e "$settings" ]; then
        mkdir -p "${settings%/*}"
        echo 'create_main_cluster = false' >"$settings"
    fi
}

# Whether apt has no lists, or did not ask for them within a day. A list bears the date that its archive gave it, which is earlier
# than the moment of asking; a directory bears that moment.
lists_are_old() {
    [ -z "$(find "$apt_lists" -name '*_Packages*' -print -quit 2>/dev/null)" ] ||
        [ -z "$(find "$apt_lists" -mtime -1 -print -quit)" ]
}

# refresh_lists WANTED...: someone else's archive that is gone does not matter; when no archive answers, nothing can be installed.
refresh_lists() {
    say "refreshing Debian's package lists"
    refreshed=yes
    if apt_get -o APT::Update::Error-Mode=any update; then
        touch "$apt_lists/partial"
    elif ! printf '%s\n' "$apt_said" | grep -qE '^(Get|Hit):'; then
        die "cannot install $*: $(apt_reason)"
    fi
}

# install_from_lists WANTED...: when it fails, "why" tells the reason.
install_from_lists() {
    # shellcheck disable=SC2046  # a list of words
    policy=$(LC_ALL=C apt-cache policy $(names_of "$@"))
    for wanted in "$@"; do
        offered=$(printf '%s\n' "$policy" | awk -v name="${wanted%%>=*}:" \
            '/^[^ ]/ { current = $1 } current == name && $1 == "Candidate:" && $2 != "(none)" { print $2 }')
        will_do "$offered" "$wanted" || {
            why="the archives in apt's sources have ${offered:-none} as the newest ${wanted%%>=*}"
            return 1
        }
    done
    # shellcheck disable=SC2046  # a list of words
    set -- $(names_of "$@")
    # Whatever fails is tried once more by our caller.
    apt_get -o Acquire::Retries=0 --no-install-recommends --no-remove install "$@" && return
    why=$(apt_reason)
    case $apt_said in *'remove is disabled'*) ;; *) return 1 ;; esac
    keep_installed "$@" || return 1
    # shellcheck disable=SC2086  # a list of words
    apt_get -o Acquire::Retries=0 --no-install-recommends --allow-downgrades install "$@" $kept && return
    why=$(apt_reason)
    return 1
}

# removed_with PACKAGE[=VERSION]...: what apt would remove to install these. It fails when apt cannot install them at all.
removed_with() {
    apt_get --simulate --no-install-recommends --allow-downgrades install "$@" || return 1
    removed=$(printf '%s\n' "$apt_said" | sed -n 's/^Remv \([^ ]*\).*/\1/p')
}

# keep_installed PACKAGE...: finds for each package that apt would remove a version that can stay beside these, and puts
# PACKAGE=VERSION into "kept": a package from another release may not fit beside those of this one.
keep_installed() {
    kept=
    removed_with "$@" || return 1
    for package in $removed; do
        ! takes_the_place_of "$package" || continue
        version=$(fitting_version "$package" "$@") || {
            why="apt would remove $package, no version of which can stay beside it"
            return 1
        }
        say "$package $(installed_version "$package") gives way to version $version, beside which these can be installed"
        kept="$kept $package=$version"
    done
}

# Whether what apt would install in the simulation provides this package.
takes_the_place_of() {
    # shellcheck disable=SC2046  # a list of words
    apt-cache show --no-all-versions $(printf '%s\n' "$apt_said" | sed -n 's/^Inst \([^ ]*\).*/\1/p') |
        sed -n 's/^Provides: //p' | tr ',' '\n' | awk -v name="$1" '$1 == name { found = 1 } END { exit !found }'
}

# fitting_version REMOVED PACKAGE...: the newest that the archives have and beside which these can be installed.
fitting_version() {
    fitting=$1
    shift
    for version in $(apt-cache madison "$fitting" | awk '{ print $3 }'); do
        if removed_with "$@" "$fitting=$version" && ! printf '%s\n' "$removed" | grep -qFx "$fitting"; then
            echo "$version"
            return 0
        fi
    done
    return 1
}

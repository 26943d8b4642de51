# Runs make targets as phases, side by side where they do not depend on one another, and shows how far they are. Sourced by
# run-phases.sh and run-suites.sh.
# shellcheck shell=bash

# What users read, in their language.
case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
zh*) chinese=1 LC_MESSAGES=zh_CN.UTF-8 ;;
*) chinese='' LC_MESSAGES=C ;;
esac 2>/dev/null
# Characters are counted, not bytes, though the user's locale may not be installed.
unset LC_ALL 2>/dev/null
export LC_MESSAGES LC_CTYPE=C.UTF-8

# words ENGLISH CHINESE
words() {
    if [ -n "$chinese" ]; then printf %s "$2"; else printf %s "$1"; fi
}

# The bar is for people who look at a terminal.
bar=
[ ! -t 2 ] || [ "${TERM:-dumb}" = dumb ] || bar=1
red='' green='' plain=''
[ ! -t 1 ] || [ "${TERM:-dumb}" = dumb ] || [ -n "${NO_COLOR:-}" ] || { red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'; }

logs=
declare -a order=()
# Of each phase: its title, the seconds that it is expected to take, the phases that it waits for; then the process that
# leads its session, when it began, the seconds that it took and its exit status.
declare -A title=() expected=() after=() leader=() began=() took=() status=()

# phase TARGET SECONDS AFTER TITLE. What it took the last time is the better estimate.
phase() {
    order+=("$1")
    expected[$1]=$2
    after[$1]=$3
    title[$1]=$4
    [ ! -s "$logs/$1.seconds" ] || expected[$1]=$(<"$logs/$1.seconds")
}

clock() {
    printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

# processes_of SESSION: all its processes in $all; in $endable without an apt-get that installs, and what that runs: dpkg
# that is ended in the middle leaves a broken machine.
processes_of() {
    local stat line pid above fields
    local -A parent=() name=() spared=()
    all='' endable=''
    for stat in /proc/[0-9]*/stat; do
        read -r line 2>/dev/null <"$stat" || continue
        # "pid (name) state parent group session ..."
        read -r -a fields <<<"${line##*) }"
        [[ ${fields[3]} == "$1" && ${fields[0]} != Z ]] || continue
        pid=${line%% *}
        parent[$pid]=${fields[1]}
        name[$pid]=${line#*(}
        name[$pid]=${name[$pid]%)*}
    done 2>/dev/null
    for pid in "${!parent[@]}"; do
        above=${parent[$pid]}
        if [ "${name[$pid]}" = dpkg ] && [ "${name[$above]:-}" = apt-get ] && [ "${name[${parent[$above]}]:-}" = timeout ]; then
            spared[$above]=1
        fi
    done
    for pid in "${!parent[@]}"; do
        all+=" $pid"
        above=$pid
        while [ -n "$above" ] && [ -z "${spared[$above]:-}" ]; do above=${parent[$above]:-}; done
        [ -n "$above" ] || endable+=" $pid"
    done
}

# Ends all phases that run: politely, after ten seconds with force.
end_phases() {
    local target round told=
    for target in "${order[@]}"; do
        [[ -n ${leader[$target]:-} && -z ${status[$target]:-} ]] || continue
        for ((round = 0; ; round++)); do
            processes_of "${leader[$target]}"
            [ -n "$all" ] || break
            # shellcheck disable=SC2086  # words
            case $round in
            0) [ -z "$endable" ] || kill -TERM $endable ;;
            100) [ -z "$endable" ] || kill -KILL $endable ;;
            esac 2>/dev/null || true
            if [ -z "$endable$told" ]; then
                told=1
                words $'apt-get finishes what it has begun\n' $'等待 apt-get 完成已开始的安装\n' >&2
            fi
            sleep 0.1
        done
    done
}

interrupted() {
    trap '' INT TERM HUP
    [ -z "$bar" ] || printf '\r\e[K' >&2
    words $'interrupted: what runs is ended\n' $'已中断：正在结束运行中的任务\n' >&2
    end_phases
    exit 130
}

# start TARGET: in a session of its own, without our terminal.
start() {
    began[$1]=$EPOCHSECONDS
    : >"$logs/$1.log"
    run_phase "$1" >"$logs/$1.log" 2>&1 </dev/null &
    leader[$1]=$!
}

# What a phase runs; it leads a session of its own.
run_phase() {
    exec setsid make "$1"
}

# How long everything that is left takes: the longest way through the phases.
remaining() {
    local name other rest longest=0
    local -A way=()
    for name in "${order[@]}"; do
        rest=0
        if [ -z "${status[$name]:-}" ]; then
            for other in ${after[$name]}; do
                [ "${way[$other]:-0}" -le "$rest" ] || rest=${way[$other]}
            done
            rest=$((rest + expected[$name]))
            if [ -n "${began[$name]:-}" ]; then
                rest=$((expected[$name] - (EPOCHSECONDS - began[$name])))
                [ "$rest" -gt 1 ] || rest=1
            fi
        fi
        way[$name]=$rest
        [ "$rest" -le "$longest" ] || longest=$rest
    done
    echo "$longest"
}

# One line: how much is done, and the last words of what runs.
show_bar() {
    local elapsed=$((EPOCHSECONDS - first)) rest all filled name line columns
    rest=$(remaining)
    all=$((elapsed + rest))
    filled=$((all > 0 ? 20 * elapsed / all : 20))
    printf -v line '%*s' "$filled" ''
    line="[${line// /#}$(printf '%*s' $((20 - filled)) '')] $(clock "$elapsed")"
    line+=$(words " of about " "，预计共 ")$(clock "$all")
    for name in "${order[@]}"; do
        [[ -n ${began[$name]:-} && -z ${status[$name]:-} ]] || continue
        line+=" | ${title[$name]}: $(tail -n 1 "$logs/$name.log" | tr -d '\000-\037' | sed 's/^[ =>]*//' | cut -c -30)"
    done
    columns=$(stty size <&2 2>/dev/null | cut -d ' ' -f 2) || columns=
    [ "${columns:-0}" -gt 20 ] || columns=80
    # A Chinese character is two columns wide.
    [ -z "$chinese" ] || columns=$((columns * 2 / 3))
    printf '\r\e[K%s' "${line:0:$((columns - 1))}" >&2
}

# outcome TARGET: how a phase ended and how long it took, first on its line.
outcome() {
    if [ "${status[$1]}" -eq 0 ]; then
        printf '%s%s%s' "$green" "$(words 'ok    ' '完成  ')" "$plain"
    else
        printf '%s%s%s' "$red" "$(words FAILED '失败  ')" "$plain"
    fi
    printf ' %6s  %s' "$(clock "${took[$1]}")" "${title[$1]}"
}

# Says what happened to a phase, above the bar.
say_line() {
    [ -z "$bar" ] || printf '\r\e[K' >&2
    printf '%s\n' "$1"
}

# Not gone, and not a zombie either.
is_running() {
    local line
    read -r line 2>/dev/null <"/proc/$1/stat" && [[ ${line##*) } != Z* ]]
}

# finish TARGET: takes note of a phase that has ended.
finish() {
    local code=0
    wait "${leader[$1]}" || code=$?
    status[$1]=$code
    took[$1]=$((EPOCHSECONDS - began[$1]))
    if [ "$code" -eq 0 ]; then echo "${took[$1]}" >"$logs/$1.seconds"; fi
    ended "$1"
}

# May a phase begin: all that it waits for has ended.
may_start() {
    local other
    for other in ${after[$1]}; do
        [ -n "${status[$other]:-}" ] || return 1
    done
}

# Runs all phases. ended() is called for each; it is the sourcing script's. Returns 1 as soon as one fails, unless $keep_going.
run_phases() {
    local name left=1
    first=$EPOCHSECONDS
    trap interrupted INT TERM HUP
    [ -z "$bar" ] || say_line "$(words "The logs are in" 日志目录：) $logs"
    while [ "$left" -ne 0 ]; do
        left=0
        for name in "${order[@]}"; do
            [ -z "${status[$name]:-}" ] || continue
            left=1
            if [ -n "${began[$name]:-}" ]; then
                is_running "${leader[$name]}" && continue
                finish "$name"
                if [ "${status[$name]}" -ne 0 ] && [ -z "${keep_going:-}" ]; then
                    trap '' INT TERM HUP
                    end_phases
                    return 1
                fi
            elif may_start "$name"; then
                start "$name"
                [ -n "$bar" ] || say_line "$(words "${title[$name]} ..." "${title[$name]} ……")  $logs/$name.log"
            fi
        done
        [ -z "$bar" ] || show_bar
        sleep 0.2
    done
    [ -z "$bar" ] || printf '\r\e[K' >&2
    trap - INT TERM HUP
}

#!/bin/sh
# Stands in for Pacemaker's crm_resource, crm_attribute, attrd_updater, crm_node and crm_mon, with the options that the agents use. Attributes are
# files in /run/cib; without that directory there is no cluster. Every call is written to /run/cib.log.
set -u

tool=${0##*/}
printf '%s %s %s\n' "$(date +%s.%N)" "$tool" "$*" >>/run/cib.log
if [ ! -d /run/cib ]; then
    echo "$tool: Could not connect to the CIB: Transport endpoint is not connected" >&2
    exit 102 # CRM_EX_DISCONNECT
fi
case $tool in
    crm_node)
        echo node1
        exit 0
        ;;
    crm_resource) exit 0 ;;
    crm_mon)
        cat /run/cib/crm_mon.xml 2>/dev/null || echo '<pacemaker-result></pacemaker-result>'
        exit 0
        ;;
esac

name='' scope=cib do=get value=''
while [ $# -gt 0 ]; do
    case $1 in
        -n) name=$2 && shift ;;
        -N | -l | -s | -t) scope=$scope-$2 && shift ;;
        -G | -q) ;;
        -D) do=delete ;;
        -d) shift ;;
        --update=* | --update-both=*) do=set value=${1#--update*=} ;;
        *)
            echo "$tool: unknown option $1" >&2
            exit 64 # CRM_EX_USAGE
            ;;
    esac
    shift
done
file=/run/cib/$scope-$name
case $do in
    set) printf '%s\n' "$value" >"$file" ;;
    delete) rm -f "$file" ;;
    get)
        [ -e "$file" ] || exit 105 # CRM_EX_NOSUCH
        cat "$file"
        ;;
esac

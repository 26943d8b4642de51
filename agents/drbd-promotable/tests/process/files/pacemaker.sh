#!/bin/sh
# Stands in for Pacemaker's tools of one node, node1. Attributes are files in /run/cib, every call is written to /run/cib/calls.
set -u

tool=${0##*/}
echo "$tool $*" >>/run/cib/calls
[ ! -e /run/cib/slow ] || sleep "$(cat /run/cib/slow)"
case $tool in
    crm_node) echo node1 && exit 0 ;;
    crm_resource) exit 0 ;;
    crm_mon) exec cat /run/cib/crm_mon.xml ;;
    crm_master) name=master-$OCF_RESOURCE_INSTANCE ;;
    *) name= ;;
esac
do=get value=
while [ $# -gt 0 ]; do
    case $1 in
        -n) name=$2 && shift ;;
        --promotion=*) name=master-${1#*=} ;;
        -N | -l | -d) shift ;;
        -G | -q) ;;
        -D) do=delete ;;
        -v) do=set value=$2 && shift ;;
        --update=* | --update-both=*) do=set value=${1#*=} ;;
        *)
            echo "$tool: unknown option $1" >&2
            exit 64
            ;;
    esac
    shift
done
case $do in
    set) printf '%s\n' "$value" >"/run/cib/$name" ;;
    delete) rm -f "/run/cib/$name" ;;
    get) [ -e "/run/cib/$name" ] || exit 105; cat "/run/cib/$name" ;;
esac

# Writes the configuration with which Pacemaker starts for the first time. Runs in a node.
set -eu
options='<crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="cib-bootstrap-options-dc-deadtime"'
options="$options name=\"dc-deadtime\" value=\"2s\"/></cluster_property_set></crm_config>"
cib=/var/lib/pacemaker/cib/cib.xml
[ -e $cib ] || cibadmin --empty | sed "s|<crm_config/>|$options|" | install -o hacluster -g haclient -m 600 /dev/stdin $cib

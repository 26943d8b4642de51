# Runs what `kaiwudb-ha plan` prints on copies of the configuration. Argument: directory with base.xml and drbd.toml.
set -eu
cd "$1"
for format in pcs crmsh cib; do
    CIB_file=base.xml kaiwudb-ha --config drbd.toml plan --format $format >plan.$format
done
# The script is for a live cluster: its first and last step are done on the copy.
sed -e 's,^pcs cluster cib "$old",cp base.xml "$old",' -e 's,^pcs cluster cib-push.*,cp "$new" by-pcs.xml,' plan.pcs >on-copy.sh
sh on-copy.sh >pcs.log 2>&1 || { cat pcs.log >&2; exit 1; }
cp base.xml by-crmsh.xml
CIB_file=$1/by-crmsh.xml crm -F configure load update plan.crmsh >crmsh.log 2>&1 || { cat crmsh.log >&2; exit 1; }
cp base.xml by-cib.xml
CIB_file=by-cib.xml cibadmin --replace --scope=configuration --xml-file plan.cib
for tool in pcs crmsh cib; do
    CIB_file=by-$tool.xml kaiwudb-ha --config drbd.toml plan | head -n 1 | grep -q '^Nothing to do' || {
        CIB_file=by-$tool.xml kaiwudb-ha --config drbd.toml plan >&2
        exit 1
    }
done

# What the vendor's installer does after it has copied its files. Runs in a node.
set -eu
id kaiwudb >/dev/null 2>&1 || useradd --create-home --shell /bin/bash kaiwudb
grep -qs '^kaiwudb ' /etc/sudoers.d/kaiwudb || echo 'kaiwudb ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/kaiwudb
ln -sf /usr/local/kaiwudb/bin/kwbase /usr/bin/kwbase
ln -sf /usr/local/kaiwudb/bin/kw-status.sh /usr/bin/kw-status
ln -sf /usr/local/kaiwudb/bin/kw-sql.sh /usr/bin/kw-sql
if [ -d /usr/local/kaiwudb/lib ]; then
    echo /usr/local/kaiwudb/lib >/etc/ld.so.conf.d/kaiwudb.conf
    ldconfig
fi
mkdir -p /var/lib/kaiwudb /etc/kaiwudb/certs
chmod 700 /etc/kaiwudb/certs
chown -R kaiwudb:kaiwudb /var/lib/kaiwudb /etc/kaiwudb /usr/local/kaiwudb
systemctl daemon-reload

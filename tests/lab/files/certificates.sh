# Makes the certificates on the first node, with the names of both nodes and of the virtual IP. Arguments: addresses.
set -eu
certs=/etc/kaiwudb/certs
key=$certs/ca.key
kwbase cert create-ca --certs-dir="$certs" --ca-key="$key"
kwbase cert create-client root --certs-dir="$certs" --ca-key="$key"
kwbase cert create-node "$@" 127.0.0.1 0.0.0.0 localhost --certs-dir="$certs" --ca-key="$key"
chmod 700 "$certs"/*.key
chmod 644 "$certs"/*.crt
chown -R kaiwudb:kaiwudb "$certs"

# Lets root of each node log in on the other one, as the KWDB guide wants it. Arguments: public key of the other node, addresses.
set -eu
key=$1
shift
install -d -m 700 /root/.ssh
echo "$key" >/root/.ssh/authorized_keys
host=$(cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)
for address in "$@"; do
    echo "$address $host"
done >/root/.ssh/known_hosts
systemctl start ssh.service

# What the vendor's installer does for a container, after the files of a bare installation are there. Runs in a node.
#
# Differences: the image holds the server alone and sees the node's /usr, so that it is small. A node of the lab may not give
# --privileged and cannot raise limits, has no network for Docker to translate, and may only make control groups in the
# unified hierarchy, which on a machine with several is not where Docker looks.
set -eu
systemctl mask --quiet --now containerd.service
rm -f /run/containerd/containerd.sock
mkdir -p /etc/docker /etc/systemd/system/docker.service.d
cat >/etc/systemd/system/docker.service.d/lab.conf <<'END'
[Service]
BindPaths=-/sys/fs/cgroup/unified:/sys/fs/cgroup
ExecStart=
ExecStart=/usr/sbin/dockerd -H fd://
END
systemctl daemon-reload
cat >/etc/docker/daemon.json <<'END'
{
    "bridge": "none", "iptables": false, "ip6tables": false, "ip-forward": false,
    "storage-driver": "vfs", "exec-opts": ["native.cgroupdriver=cgroupfs"]
}
END
systemctl enable --quiet docker.service
systemctl restart docker.service

tree=$(mktemp -d)
mkdir -p "$tree/etc" "$tree/usr" "$tree/tmp" "$tree/run" "$tree/var" "$tree/kaiwudb/bin" "$tree/kaiwudb/deploy"
chmod 0755 "$tree"
chmod 1777 "$tree/tmp"
for directory in bin sbin lib lib64; do
    ln -s "usr/$directory" "$tree/$directory"
done
cp /etc/passwd /etc/group /etc/nsswitch.conf "$tree/etc/"
cp -L /usr/local/kaiwudb/bin/kwbase "$tree/kaiwudb/bin/"
[ ! -d /usr/local/kaiwudb/lib ] || cp -RL /usr/local/kaiwudb/lib "$tree/kaiwudb/"
tar -C "$tree" -c . | docker import - kwdb/kwdb:lab >/dev/null
rm -r "$tree"

# Line 8 of the installation's description.
case $(sed -n 8p /etc/kaiwudb/info/MODE) in
tls) security=--certs-dir=/kaiwudb/certs ;;
*) security=--insecure ;;
esac
address=$(ip -4 -o address show dev cluster | sed -n '1s,.*inet \([0-9.]*\)/.*,\1,p')
docker create --name kaiwudb-container --network host --cap-drop SYS_RESOURCE --tty --restart on-failure \
    --env LD_LIBRARY_PATH=/kaiwudb/lib \
    --volume /usr:/usr:ro --volume /etc/kaiwudb/script:/kaiwudb/script:ro \
    --volume /etc/kaiwudb/certs:/kaiwudb/certs --volume /var/lib/kaiwudb:/kaiwudb/deploy/kaiwudb-container \
    kwdb/kwdb:lab /bin/bash -c ". /kaiwudb/script/kaiwudb_env
/kaiwudb/bin/kwbase start-single-node \$KAIWUDB_START_ARG $security --listen-addr=0.0.0.0:26257 \
--advertise-addr=$address:26257 --http-addr=0.0.0.0:8080 --brpc-addr=0.0.0.0:27257 \
--store=/kaiwudb/deploy/kaiwudb-container" >/dev/null

//! The table of the agent: every parameter and action.

use agent::{TRACE_FILE, TRACE_RA};
use ocf::{
    AbsolutePath, Action, ActionSpec, Bounds, CheckLevel, ContentType, MetaData, Parameter, Text, Value,
};
use rustls_pki_types::ServerName;

const fn text(en: &'static str, zh: &'static str) -> Text {
    Text { en, zh }
}

/// DNS names and IP addresses, separated by commas or spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(pub(crate) Vec<String>);

impl Value for Names {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        let words = raw
            .split([',', ' ', '\t'])
            .filter(|word| !word.is_empty())
            .map(str::to_owned);
        let names: Vec<String> = words.collect();
        match names
            .iter()
            .find(|name| ServerName::try_from(name.as_str()).is_err())
        {
            Some(wrong) => Err(format!(
                "\"{wrong}\" is neither a DNS name nor an IP address; allowed: both, separated by commas"
            )),
            None => Ok(Self(names)),
        }
    }
}

pub(crate) static CERTS_DIR: Parameter<AbsolutePath> = Parameter::new(
    "certs_dir",
    text("Certificate directory", "证书目录"),
    text(
        "The server's certificate directory on each node's own disk: ca.crt, node.crt, node.key, client.USER.crt and so on. It \
         must not be below data_root.",
        "服务端证书目录，位于各节点本地磁盘：ca.crt、node.crt、node.key、client.用户.crt 等。不能位于 data_root 之下。",
    ),
)
.default(kwdb::installation::CERTS_DIRECTORY)
.unique_group("certs_dir");

pub(crate) static DATA_ROOT: Parameter<AbsolutePath> = Parameter::new(
    "data_root",
    text("Store directory", "数据目录"),
    text(
        "Directory of the store, which is the mount point of the replicated file system. Default: line 4 of \
         /etc/kaiwudb/info/MODE, else /var/lib/kaiwudb.",
        "数据目录，即复制文件系统的挂载点。默认取 /etc/kaiwudb/info/MODE 第 4 行，否则为 /var/lib/kaiwudb。",
    ),
)
.default(kwdb::installation::DEFAULT_DATA_ROOT);

pub(crate) static BUNDLE_DIR: Parameter<AbsolutePath> = Parameter::new(
    "bundle_dir",
    text("Directory of the sealed bundle", "加密包目录"),
    text(
        "Directory on the replicated file system where the sealed bundle of certificates and keys is kept. Default: \
         .kaiwudb-ha below data_root, which the server does not read.",
        "复制文件系统上存放证书与密钥加密包的目录。默认为 data_root 下的 .kaiwudb-ha，服务端不会读取该目录。",
    ),
)
.unique_group("bundle_dir");

pub(crate) static USER: Parameter<String> = Parameter::new(
    "user",
    text("Service account", "运行用户"),
    text(
        "Account of the server, which owns certificates and keys. Default: line 7 of /etc/kaiwudb/info/MODE, else kaiwudb.",
        "服务端的系统用户，证书与密钥归其所有。默认取 /etc/kaiwudb/info/MODE 第 7 行，否则为 kaiwudb。",
    ),
)
.default("kaiwudb");

pub(crate) static AUTHKEY: Parameter<AbsolutePath> = Parameter::new(
    "authkey",
    text("File of the cluster's shared secret", "集群共享密钥文件"),
    text(
        "File from which the key that seals the bundle is derived. It must be the same on every node. Default: \
         /etc/pacemaker/authkey, else /etc/corosync/authkey.",
        "用于派生加密包密钥的文件，所有节点必须一致。默认取 /etc/pacemaker/authkey，否则为 /etc/corosync/authkey。",
    ),
)
.reloadable();

pub(crate) static INCLUDE_CA_KEY: Parameter<bool> = Parameter::new(
    "include_ca_key",
    text("Also distribute the CA private key", "同时同步 CA 私钥"),
    text(
        "Whether ca.key (and ca-client.key, ca-ui.key) is distributed too. The server never needs it, and anyone who has it can issue a \
         certificate for any user: keep it off both nodes.",
        "是否同步 ca.key（以及 ca-client.key、ca-ui.key）。服务端不需要它；持有者可为任意用户签发证书，建议不要放在任何节点上。",
    ),
)
.default("false")
.reloadable();

pub(crate) static REQUIRED_NAMES: Parameter<Names> = Parameter::new(
    "required_names",
    text("Names that clients use for the server", "客户端使用的名称"),
    text(
        "DNS names and IP addresses that node.crt must be valid for, separated by commas: both nodes and the virtual IP. A new \
         certificate that lacks one is not published, and this is reported before a failover.",
        "node.crt 必须覆盖的 DNS 名称与 IP 地址，以逗号分隔：两个节点和虚拟 IP。缺少任一名称的新证书不会发布，并在切换之前告警。",
    ),
)
.default("")
.reloadable();

pub(crate) static CERT_WARN_DAYS: Parameter<u64> = Parameter::new(
    "cert_warn_days",
    text("Days before expiry to warn", "到期前告警天数"),
    text(
        "How many days before the first certificate expires the monitor returns \"degraded\". 0 warns on the last day.",
        "第一张证书到期前多少天开始返回“降级”状态。0 表示最后一天才告警。",
    ),
)
.default("30")
.bounds(0, 3650)
.reloadable();

pub(crate) static HTTP_PORT: Parameter<u64> = Parameter::new(
    "http_port",
    text("HTTP port of the server", "服务端 HTTP 端口"),
    text(
        "Port on which the monitor of level 10 reads the certificate that the server presents. Default: line 6 of \
         /etc/kaiwudb/info/MODE, else 8080.",
        "级别 10 的监控通过该端口查看服务端实际出示的证书。默认取 /etc/kaiwudb/info/MODE 第 6 行，否则为 8080。",
    ),
)
.default("8080")
.bounds(1, 65535)
.reloadable();

pub(crate) static REQUIRE_MOUNT: Parameter<bool> = Parameter::new(
    "require_mount",
    text("Refuse an unmounted data_root", "要求 data_root 已挂载"),
    text(
        "Refuse to start when data_root is not a mount point: the bundle would be written to the node's own disk. Set it to false \
         only if the store is not on a file system of its own.",
        "data_root 不是挂载点时拒绝启动，否则加密包会写到本地磁盘。仅当数据目录不在独立文件系统上时才设为 false。",
    ),
)
.default("true");

pub(crate) static METADATA: MetaData = MetaData {
    name: "cert-sync",
    version: env!("CARGO_PKG_VERSION"),
    short: text(
        "Keeps a KWDB server's certificates with its data",
        "KWDB 证书随数据一同切换",
    ),
    long: text(
        "Keeps the certificates and keys of a KWDB (KaiwuDB) server as a sealed bundle on the replicated file system, so that \
         the node that takes over serves with the newest valid set. Replace certificates on the node that serves; the change is checked, \
         published within one monitor interval and loaded by the server without a restart. A change of certificates, even a \
         wrong one, never fails the monitor. Belongs in the group between the file system and the database. Add a monitor with \
         role=Stopped to see the other node's certificates in crm_mon -A.",
        "将 KWDB（KaiwuDB）服务端的证书与密钥以加密包形式保存在复制文件系统上，任一节点接管后都使用最新的有效证书集。请在正在提供服务的节点上更换证书；\
         变更经检查后在一个监控周期内发布，服务端无需重启即可加载。证书变更（即使有误）不会导致监控失败。应放在资源组中文件系统与数据库之间。\
         添加 role=Stopped 的监控可在 crm_mon -A 中看到另一节点的证书状态。",
    ),
    parameters: &[
        &CERTS_DIR,
        &DATA_ROOT,
        &BUNDLE_DIR,
        &USER,
        &AUTHKEY,
        &INCLUDE_CA_KEY,
        &REQUIRED_NAMES,
        &CERT_WARN_DAYS,
        &HTTP_PORT,
        &REQUIRE_MOUNT,
        &TRACE_RA,
        &TRACE_FILE,
    ],
    actions: &[
        ActionSpec::new(Action::Start, 30),
        ActionSpec::new(Action::Stop, 20),
        ActionSpec::monitor(20, 30, CheckLevel::Basic),
        ActionSpec::monitor(20, 120, CheckLevel::Service),
        ActionSpec::new(Action::ReloadAgent, 20),
        ActionSpec::new(Action::MetaData, 5),
        ActionSpec::new(Action::ValidateAll, 20),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_defects() {
        assert_eq!(METADATA.defects(), Vec::<String>::new());
    }

    #[test]
    fn names() {
        let parse = |raw| Names::parse(raw, Bounds::NONE);
        assert_eq!(
            parse("n1, n2,192.0.2.10 ::1").unwrap().0,
            ["n1", "n2", "192.0.2.10", "::1"]
        );
        assert_eq!(parse("").unwrap().0, Vec::<String>::new());
        assert!(parse("n1,http://n2").unwrap_err().contains("\"http://n2\""));
    }
}

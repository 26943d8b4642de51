//! The table of the agent: every parameter and action. Meta-data, defaults, validation and documents come from here.

use crate::values::{Durability, MinFree, Runtime};
use agent::{TRACE_FILE, TRACE_RA};
use kwdb::installation::{DEFAULT_USER, SecureMode};
use ocf::{AbsolutePath, Action, ActionSpec, CheckLevel, MetaData, Parameter, Text};
use std::time::Duration;

const fn text(en: &'static str, zh: &'static str) -> Text {
    Text { en, zh }
}

pub(crate) static DATA_ROOT: Parameter<AbsolutePath> = Parameter::new(
    "data_root",
    text("Store directory", "数据目录"),
    text(
        "Directory of the store (the server's --store). It must be the mount point of the replicated file system. Default: \
         line 4 of /etc/kaiwudb/info/MODE, else /var/lib/kaiwudb.",
        "数据目录（服务端 --store 参数），必须是复制文件系统的挂载点。默认取 /etc/kaiwudb/info/MODE 第 4 行，否则为 /var/lib/kaiwudb。",
    ),
)
.default(kwdb::installation::DEFAULT_DATA_ROOT)
.unique_group("data_root");

pub(crate) static RUNTIME: Parameter<Runtime> = Parameter::new(
    "runtime",
    text("bare, systemd or container", "运行方式：bare、systemd 或 container"),
    text(
        "What starts the server: the agent itself (bare), systemd through the vendor's unit (systemd), or Docker or Podman (container). In \
         all three a sentinel watches the server, it counts as started when SQL answers, and is stopped by the same sequence \
         (SIGTERM, SIGTERM, SIGKILL). \
         Default: container where line 1 of /etc/kaiwudb/info/MODE says so, else bare.",
        "由谁启动服务端：代理自身（bare）、systemd 通过厂商的服务单元（systemd）或 Docker、Podman（container）。三种方式都由哨兵进程监视，SQL 可用才算启动完成，停止步骤相同（SIGTERM、SIGTERM、SIGKILL）。若 /etc/kaiwudb/info/MODE 第 1 行为 container 则默认 container，否则 bare。",
    ),
)
.default("bare");

pub(crate) static UNIT: Parameter<String> = Parameter::new(
    "unit",
    text("Unit for runtime=systemd", "runtime=systemd 的服务单元"),
    text(
        "The systemd unit that starts the server.",
        "启动服务端的 systemd 服务单元。",
    ),
)
.default("kaiwudb.service");

pub(crate) static CONTAINER: Parameter<String> = Parameter::new(
    "container",
    text("Container for runtime=container", "runtime=container 的容器名"),
    text(
        "Name of the container in which the server runs.",
        "运行服务端的容器名。",
    ),
)
.default("kaiwudb-container");

pub(crate) static BINARY: Parameter<AbsolutePath> = Parameter::new(
    "binary",
    text("Server program", "服务端程序"),
    text(
        "The server program kwbase. Default: bin/kwbase below the directory in line 3 of /etc/kaiwudb/info/MODE, else \
         /usr/local/kaiwudb/bin/kwbase.",
        "服务端程序 kwbase。默认取 /etc/kaiwudb/info/MODE 第 3 行目录下的 bin/kwbase，否则为 /usr/local/kaiwudb/bin/kwbase。",
    ),
)
.default("/usr/local/kaiwudb/bin/kwbase");

pub(crate) static USER: Parameter<String> = Parameter::new(
    "user",
    text("Service account", "运行用户"),
    text(
        "Account under which the server runs; never one of the operating system's own. Default: line 7 of /etc/kaiwudb/info/MODE, \
         which can name no account but the one that the file belongs to unless root alone can change it, else kaiwudb.",
        "运行服务端的系统用户，不能是操作系统自身的账号。默认取 /etc/kaiwudb/info/MODE 第 7 行，否则为 kaiwudb；\
         若该文件并非只有 root 能修改，则其中只能写该文件所属的用户。",
    ),
)
.default(DEFAULT_USER);

pub(crate) static GROUP: Parameter<String> = Parameter::new(
    "group",
    text("Service group", "运行用户组"),
    text(
        "Group under which the server runs. Default: the primary group of user.",
        "运行服务端的系统用户组。默认为 user 的主组。",
    ),
);

pub(crate) static SECURE_MODE: Parameter<SecureMode> = Parameter::new(
    "secure_mode",
    text("insecure, tls or tlcp", "安全模式：insecure、tls 或 tlcp"),
    text(
        "Connection security between clients and server. With tlcp (enterprise edition) the flag is passed on and the server is probed \
         over /health, because the agent does not support that protocol. Default: /etc/kaiwudb/info/MODE, else insecure.",
        "客户端与服务端之间的连接安全。tlcp（企业版）仅透传参数，并通过 /health 探测，因为代理不支持该协议。默认取 /etc/kaiwudb/info/MODE，否则为 insecure。",
    ),
)
.default("insecure");

pub(crate) static CERTS_DIR: Parameter<AbsolutePath> = Parameter::new(
    "certs_dir",
    text("Certificate directory", "证书目录"),
    text(
        "Directory with ca.crt, node.crt, node.key, client.root.crt and client.root.key. Used unless secure_mode is insecure.",
        "存放 ca.crt、node.crt、node.key、client.root.crt 和 client.root.key 的目录，secure_mode 不为 insecure 时使用。",
    ),
)
.default("/etc/kaiwudb/certs");

pub(crate) static LISTEN_HOST: Parameter<String> = Parameter::new(
    "listen_host",
    text("Address to listen on", "监听地址"),
    text(
        "Address on which the server listens for SQL, HTTP and brpc: an IP address of this node, or 0.0.0.0 or [::] for all, \
         which the virtual IP needs.",
        "服务端监听 SQL、HTTP 和 brpc 的地址：本节点的 IP 地址，或 0.0.0.0、[::] 表示所有地址（使用虚拟 IP 时需要）。",
    ),
)
.default("0.0.0.0");

pub(crate) static SQL_PORT: Parameter<u64> = Parameter::new(
    "sql_port",
    text("SQL port", "SQL 端口"),
    text(
        "Port for SQL. Default: line 5 of /etc/kaiwudb/info/MODE, else 26257.",
        "SQL 端口。默认取 /etc/kaiwudb/info/MODE 第 5 行，否则为 26257。",
    ),
)
.default("26257")
.bounds(1, 65535);

pub(crate) static HTTP_PORT: Parameter<u64> = Parameter::new(
    "http_port",
    text("HTTP port", "HTTP 端口"),
    text(
        "Port for HTTP (health, metrics, REST). Default: line 6 of /etc/kaiwudb/info/MODE, else 8080.",
        "HTTP 端口（健康检查、指标、REST）。默认取 /etc/kaiwudb/info/MODE 第 6 行，否则为 8080。",
    ),
)
.default("8080")
.bounds(1, 65535);

pub(crate) static BRPC_PORT: Parameter<u64> = Parameter::new(
    "brpc_port",
    text("brpc port, 0 to leave it out", "brpc 端口，0 表示不传"),
    text(
        "Port of the brpc service. 0 leaves the flag --brpc-addr out, which releases before 3.0 need.",
        "brpc 服务端口。0 表示不传 --brpc-addr 参数（3.0 之前的版本需要）。",
    ),
)
.default("27257")
.bounds(0, 65535);

pub(crate) static ADVERTISE_HOST: Parameter<String> = Parameter::new(
    "advertise_host",
    text("This node's own address", "本节点自身地址"),
    text(
        "Address that the server advertises: this node's own, never the virtual IP. Leave it unset in a cluster, because \
         the value applies to both nodes. Default: the last line of /etc/kaiwudb/info/MODE of each node, else not passed.",
        "服务端对外通告的地址：必须是本节点自身地址，不能是虚拟 IP。集群中请勿设置，因为同一个值会用于两个节点。默认取各节点 /etc/kaiwudb/info/MODE 的最后一行，否则不传。",
    ),
);

pub(crate) static START_MODE: Parameter<String> = Parameter::new(
    "start_mode",
    text("Start command of the server", "启动命令"),
    text(
        "Start command of the server; it must be the one with which the store was created.",
        "启动服务端的命令，必须与创建数据目录时使用的命令一致。",
    ),
)
.default("start-single-node");

pub(crate) static ENV_FILE: Parameter<AbsolutePath> = Parameter::new(
    "env_file",
    text("File with variables for the server", "服务端环境变量文件"),
    text(
        "File with NAME=value lines for the server's environment, read as systemd reads an EnvironmentFile. \
         KAIWUDB_START_ARG in it contains further server flags. A missing file is ignored.",
        "服务端环境变量文件，每行 NAME=value，按 systemd 的 EnvironmentFile 规则解析。其中 KAIWUDB_START_ARG 为附加启动参数。文件不存在时忽略。",
    ),
)
.default("/etc/kaiwudb/script/kaiwudb_env");

pub(crate) static EXTRA_ARGS: Parameter<String> = Parameter::new(
    "extra_args",
    text("Further server flags", "附加启动参数"),
    text(
        "Further flags for the server, split into words as a shell does. They follow those of KAIWUDB_START_ARG.",
        "附加的服务端启动参数，按 shell 规则分词，位于 KAIWUDB_START_ARG 之后。",
    ),
);

pub(crate) static REQUIRE_MOUNT: Parameter<bool> = Parameter::new(
    "require_mount",
    text("Refuse an unmounted data_root", "要求 data_root 已挂载"),
    text(
        "Refuse to start when data_root is not a mount point. The server itself would silently create a new, empty database \
         on the root disk. Set it to false only if the store is not on a file system of its own.",
        "data_root 不是挂载点时拒绝启动。否则服务端会在系统盘上悄悄创建一个新的空数据库。仅当数据目录不在独立文件系统上时才设为 false。",
    ),
)
.default("true");

/// With the real server, stops with 0, 0.3 and 1 s between the two SIGTERMs were followed by starts that took the same time, and no
/// drain ends within 1 s: a longer default would be outage and nothing else.
pub(crate) static DRAIN_TIMEOUT: Parameter<Duration> = Parameter::new(
    "drain_timeout",
    text("Longest time between the first and second SIGTERM", "两次 SIGTERM 的最长间隔"),
    text(
        "The first SIGTERM makes the server close idle sessions and finish short statements. The second one ends it at once; it is \
         sent as soon as no SQL client is connected, after this time at the latest. A full drain takes 2 to 15 s of outage; a \
         hard stop loses nothing as long as ts.wal.wal_level is not 0 and restarts as fast.",
        "第一次 SIGTERM 使服务端关闭空闲会话并执行完短语句；第二次 SIGTERM 使服务端立即退出，没有 SQL 客户端连接时即发送，最迟在该时间之后发送。\
         完整排空会使中断延长 2 至 15 秒；只要 ts.wal.wal_level 不为 0，强制停止不会丢数据，重启同样快。",
    ),
)
.default("300ms")
.bounds(0, 600_000)
.reloadable();

pub(crate) static HANG_TIMEOUT: Parameter<Duration> = Parameter::new(
    "hang_timeout",
    text("How long the server may be unresponsive", "允许无响应时间"),
    text(
        "A server that runs but has not served for this long is reported as failed: it says itself that it is not ready (/health?ready=1), or cannot tell and does not answer SQL.",
        "服务端进程存在但持续无法服务超过该时间即报告故障：/health?ready=1 明确表示未就绪，或无法判断且 SQL 无响应。",
    ),
)
.default("10s")
.bounds(1_000, 600_000)
.reloadable();

pub(crate) static SYNC_INTERVAL: Parameter<Duration> = Parameter::new(
    "sync_interval",
    text("Interval of flushing the store, 0 for never", "数据目录刷盘间隔，0 为不刷"),
    text(
        "By default the server acknowledges time-series rows that are only in the page cache; after a node crash they are lost. \
         The file system of data_root is therefore flushed this often (syncfs), which makes a loss rare. It is ruled out only together with the \
         server settings ts.wal.wal_level=1 and ts.force_sync_file.enabled=true. 0 switches it off.",
        "默认情况下服务端确认的时序数据可能仅在页缓存中，节点崩溃后会丢失。因此按该间隔对 data_root 所在文件系统执行 syncfs，使丢失极少发生；只有再将服务端设置 ts.wal.wal_level=1 和 ts.force_sync_file.enabled=true，才能避免丢失。0 表示关闭。",
    ),
)
.default("1s")
.bounds(0, 3_600_000)
.reloadable();

pub(crate) static DURABILITY: Parameter<Durability> = Parameter::new(
    "durability",
    text("best-effort, or required: warn where a crash can lose rows", "best-effort，或 required：可能丢失数据时告警"),
    text(
        "What a crash of the node may cost. With required, monitor returns degraded as long as acknowledged time-series rows can be lost: \
         unless the server settings ts.wal.wal_level=1 and ts.force_sync_file.enabled=true are known to be on (set by kaiwudb-ha durable) and \
         sync_interval is not 0. Never causes a failover. With best-effort the agent does not query them.",
        "节点崩溃时允许的代价。设为 required 时，只要已确认的时序数据可能丢失，monitor 就显示降级：除非确认服务端设置 ts.wal.wal_level=1 和 ts.force_sync_file.enabled=true 已生效（可用 kaiwudb-ha durable 设置）且 sync_interval 不为 0。不会触发切换。设为 best-effort 时代理不查询这些设置。",
    ),
)
.default("best-effort")
.reloadable();

pub(crate) static STALL_TIMEOUT: Parameter<Duration> = Parameter::new(
    "stall_timeout",
    text("How long a flush may hang", "刷盘允许阻塞时间"),
    text(
        "A flush of the store that does not return is a stalled disk: shown as degraded at first, reported as a failure after \
         this time.",
        "刷盘迟迟不返回说明磁盘阻塞：先显示为降级，超过该时间后报告为故障。",
    ),
)
.default("30s")
.bounds(2_000, 3_600_000)
.reloadable();

pub(crate) static MIN_FREE: Parameter<MinFree> = Parameter::new(
    "min_free",
    text("Free-space threshold", "剩余空间告警阈值"),
    text(
        "When the file system of data_root has less free space than this, monitor returns degraded: a share of the file system (5%, \
         which also applies to inodes) or a size (2G). Never causes a failover, because the other node's disk is equally full.",
        "data_root 所在文件系统剩余空间低于该值时 monitor 显示降级：可为百分比（如 5%，同时适用于 inode）或大小（如 2G）。不会触发切换，因为另一节点的磁盘同样已满。",
    ),
)
.default("5%")
.reloadable();

pub(crate) static CERT_WARN_DAYS: Parameter<u64> = Parameter::new(
    "cert_warn_days",
    text("Days before expiry to show degraded", "证书到期提前告警天数"),
    text(
        "When a certificate of the server expires within this many days, monitor returns degraded. Never causes a failover: the other \
         node has the same certificates.",
        "服务端证书在该天数内到期时 monitor 显示降级。不会触发切换：另一节点使用相同的证书。",
    ),
)
.default("30")
.bounds(0, 3650)
.reloadable();

pub(crate) static OOM_SCORE_ADJ: Parameter<i64> = Parameter::new(
    "oom_score_adj",
    text("Kernel's out-of-memory adjustment", "内核 OOM 调整值"),
    text(
        "How likely the kernel kills the server when memory runs out: -1000 (never) to 1000. By default it is not changed.",
        "内存不足时内核杀死服务端的倾向：-1000（从不）到 1000。不设置则不改变。",
    ),
)
.bounds(0, 1000);

pub(crate) static NO_NEW_PRIVILEGES: Parameter<bool> = Parameter::new(
    "no_new_privileges",
    text("Confine the server to its account", "限制服务端只有其账号的权限"),
    text(
        "Whether what the server executes gets no more rights than the server has: no_new_privs, and an empty capability bounding \
         set. Set it to false only where the server has to run sudo or another set-user-id program. With runtime bare; a unit and a \
         container have settings of their own.",
        "服务端执行的程序是否不得获得超出服务端自身的权限：设置 no_new_privs 并清空 capability 边界集。\
         仅当服务端必须运行 sudo 或其他 set-user-id 程序时才设为 false。用于 bare 方式；systemd 单元和容器有各自的设置。",
    ),
)
.default("true");

pub(crate) static NOFILE: Parameter<u64> = Parameter::new(
    "nofile",
    text("Limit of open files", "打开文件数上限"),
    text(
        "Limit of open files for the server, as in the vendor's unit. If it cannot be set, a warning is logged.",
        "服务端打开文件数上限，与厂商的服务单元一致。无法设置时仅记录警告。",
    ),
)
.default("1048576")
// The server refuses less.
.bounds(1956, 1_073_741_816);

pub(crate) static MAX_MAP_COUNT: Parameter<u64> = Parameter::new(
    "max_map_count",
    text("vm.max_map_count, 0 for no change", "vm.max_map_count，0 表示不改"),
    text(
        "The kernel's vm.max_map_count is raised to at least this before the server starts, as the vendor's unit does. If it \
         cannot be set, a warning is logged.",
        "启动前将内核参数 vm.max_map_count 提高到至少该值，与厂商的服务单元一致。无法设置时仅记录警告。",
    ),
)
.default("10000000")
.bounds(0, 2_147_483_647);

pub(crate) static METADATA: MetaData = MetaData {
    name: "kaiwudb",
    version: env!("CARGO_PKG_VERSION"),
    short: text("Manages a KWDB (KaiwuDB) server", "管理 KWDB（KaiwuDB）服务端"),
    long: text(
        "Resource agent of the KWDB (KaiwuDB) multi-model database on a replicated file system. Start returns when SQL answers; \
         a crash is reported at once, a hang after hang_timeout; a missing mount or a foreign store is refused; stop is \
         quick and verified. Parameters default to what the vendor's installation says.",
        "基于复制文件系统的 KWDB（KaiwuDB）多模数据库资源代理。SQL 可用后启动才返回；崩溃立即上报，无响应在 hang_timeout 之后上报；数据目录未挂载或不属于本集群时拒绝启动；停止迅速，并确认数据目录已释放。所有参数默认取自厂商安装信息。",
    ),
    parameters: &[
        &DATA_ROOT,
        &RUNTIME,
        &UNIT,
        &CONTAINER,
        &BINARY,
        &USER,
        &GROUP,
        &SECURE_MODE,
        &CERTS_DIR,
        &LISTEN_HOST,
        &SQL_PORT,
        &HTTP_PORT,
        &BRPC_PORT,
        &ADVERTISE_HOST,
        &START_MODE,
        &ENV_FILE,
        &EXTRA_ARGS,
        &REQUIRE_MOUNT,
        &DRAIN_TIMEOUT,
        &HANG_TIMEOUT,
        &SYNC_INTERVAL,
        &DURABILITY,
        &STALL_TIMEOUT,
        &MIN_FREE,
        &CERT_WARN_DAYS,
        &OOM_SCORE_ADJ,
        &NOFILE,
        &MAX_MAP_COUNT,
        &NO_NEW_PRIVILEGES,
        &TRACE_RA,
        &TRACE_FILE,
    ],
    actions: &[
        ActionSpec::new(Action::Start, 600),
        ActionSpec::new(Action::Stop, 90),
        ActionSpec::monitor(30, 10, CheckLevel::Basic),
        ActionSpec::monitor(30, 60, CheckLevel::Service),
        ActionSpec::new(Action::Reload, 20),
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
    fn ports_are_the_servers_own() {
        use kwdb::installation::{DEFAULT_HTTP_PORT, DEFAULT_SQL_PORT};
        for (parameter, port) in [(&SQL_PORT, DEFAULT_SQL_PORT), (&HTTP_PORT, DEFAULT_HTTP_PORT)] {
            assert_eq!(
                ocf::Declared::default_value(parameter),
                Some(port.to_string().as_str())
            );
        }
    }
}

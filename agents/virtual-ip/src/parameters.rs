//! The table of the agent: every parameter and action.

use agent::{TRACE_FILE, TRACE_RA};
use ocf::{
    AbsolutePath, Action, ActionSpec, Bounds, CheckLevel, ContentType, MetaData, Parameter, Text, Value,
};
use std::net::{IpAddr, Ipv4Addr};

const fn text(en: &'static str, zh: &'static str) -> Text {
    Text { en, zh }
}

/// An address that can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ip(pub(crate) IpAddr);

impl Value for Ip {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        match raw.parse::<IpAddr>() {
            Ok(ip) if !ip.is_unspecified() && !ip.is_multicast() && ip != IpAddr::V4(Ipv4Addr::BROADCAST) => Ok(Self(ip)),
            _ => Err(
                "not an address of a host; allowed: an IPv4 or IPv6 address without prefix or interface, such as 192.168.1.10 or \
                 2001:db8::10"
                    .into(),
            ),
        }
    }
}

/// The length of a prefix. Which family it is for is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix(pub(crate) u8);

impl Value for Prefix {
    const CONTENT: ContentType = ContentType::String;

    /// Also as four numbers with dots, which `ocf:heartbeat:IPaddr2` takes as well.
    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        let dotted = raw.parse::<Ipv4Addr>().ok().map(Ipv4Addr::to_bits);
        let length = match dotted {
            Some(mask) if mask.leading_ones() + mask.trailing_zeros() == 32 => {
                mask.leading_ones().try_into().ok()
            }
            Some(_) => None,
            None => raw.parse::<u8>().ok(),
        };
        match length {
            Some(length @ 1..=128) => Ok(Self(length)),
            _ => Err(
                "not valid; allowed: the length of the prefix, a whole number from 1 to 32, with IPv6 to 128"
                    .into(),
            ),
        }
    }
}

/// The name of an interface, maybe with a label behind a colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nic {
    pub(crate) name: String,
    pub(crate) label: Option<String>,
}

impl Value for Nic {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        let (name, label) = match raw.split_once(':') {
            Some((name, label)) => (name, Some(Label::parse(label, Bounds::NONE)?.0)),
            None => (raw, None),
        };
        let is_name = |name: &str| {
            !name.is_empty()
                && name.len() < 128
                && !name.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control())
        };
        if !is_name(name) {
            return Err(
                "not the name of an interface; allowed: a name as \"ip link\" shows it, such as eth0".into(),
            );
        }
        Ok(Self {
            name: name.to_owned(),
            label,
        })
    }
}

/// What follows the name of the interface in the name of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label(pub(crate) String);

impl Value for Label {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        let is_label = (1..=13).contains(&raw.len())
            && raw
                .bytes()
                .all(|c| c.is_ascii_graphic() && c != b':' && c != b'/');
        if is_label {
            Ok(Self(raw.to_owned()))
        } else {
            Err("not a label; allowed: letters and digits, 15 characters together with the interface's name and a colon".into())
        }
    }
}

/// Where packets for all hosts of a subnet go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broadcast {
    /// This address.
    Given(Ipv4Addr),
    /// The last address of the subnet.
    Last,
    /// The first address of the subnet.
    First,
}

impl Value for Broadcast {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        match raw {
            "+" => Ok(Self::Last),
            "-" => Ok(Self::First),
            _ => raw
                .parse()
                .map(Self::Given)
                .map_err(|_| "not valid; allowed: an IPv4 address, + or -".into()),
        }
    }
}

/// For how many seconds new connections may begin from the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime(pub(crate) Option<u32>);

impl Value for Lifetime {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        match raw {
            "forever" => Ok(Self(None)),
            _ => raw
                .parse()
                .map(|seconds| Self(Some(seconds)))
                .map_err(|_| "not valid; allowed: forever, or a whole number of seconds".into()),
        }
    }
}

pub(crate) static IP: Parameter<Ip> = Parameter::new(
    "ip",
    text("IPv4 or IPv6 address", "IPv4 或 IPv6 地址"),
    text(
        "The address that clients use. No node may have it as its own.",
        "客户端使用的地址。不得是任何节点自身的地址。",
    ),
)
.required()
.unique_group("ip");

pub(crate) static CIDR_NETMASK: Parameter<Prefix> = Parameter::new(
    "cidr_netmask",
    text("Length of the prefix", "前缀长度"),
    text(
        "Length of the prefix, such as 24. Without it that of the interface's own subnet is taken; where there is none that holds the \
         address, a start fails and says so: a prefix of 32 is never assumed.",
        "前缀长度，例如 24。未设置时采用网卡自身子网的前缀；没有包含该地址的子网时，启动失败并说明原因，绝不会默认为 32。",
    ),
);

pub(crate) static NIC: Parameter<Nic> = Parameter::new(
    "nic",
    text("Network interface", "网卡"),
    text(
        "The interface that gets the address. Without it the one whose subnet holds the address, on each node by itself, so the \
         interfaces may have different names. Needed for a link-local IPv6 address, and where no interface has the subnet.",
        "绑定该地址的网卡。未设置时由各节点自行选择子网包含该地址的网卡，因此各节点网卡名可以不同。链路本地 IPv6 地址以及没有网卡具有该子网时必须设置。",
    ),
);

pub(crate) static BROADCAST: Parameter<Broadcast> = Parameter::new(
    "broadcast",
    text("Broadcast address (IPv4)", "广播地址（IPv4）"),
    text(
        "An address, or + for the last one of the subnet, which is also what is taken without it, or - for the first one.",
        "广播地址；+ 表示子网的最后一个地址（未设置时同此），- 表示第一个地址。",
    ),
);

pub(crate) static IFLABEL: Parameter<Label> = Parameter::new(
    "iflabel",
    text("Label (IPv4)", "标签（IPv4）"),
    text(
        "A label that \"ip address\" shows behind the interface's name. Together with it at most 15 characters.",
        "“ip address” 在网卡名之后显示的标签。与网卡名合计不超过 15 个字符。",
    ),
);

pub(crate) static ARP_COUNT: Parameter<u64> = Parameter::new(
    "arp_count",
    text("Announcements after a start", "启动后的通告次数"),
    text(
        "How often the address is announced after a start (gratuitous ARP, with IPv6 unsolicited neighbour advertisements). The start \
         waits for none of them.",
        "启动后通告该地址的次数（免费 ARP，IPv6 为非请求邻居通告）。启动操作不等待通告完成。",
    ),
)
.default("5")
.bounds(1, 100)
.reloadable();

pub(crate) static ARP_INTERVAL: Parameter<u64> = Parameter::new(
    "arp_interval",
    text("Milliseconds between announcements", "通告间隔（毫秒）"),
    text(
        "Time between two announcements, in milliseconds.",
        "两次通告之间的时间，单位毫秒。",
    ),
)
.default("200")
.bounds(10, 60_000)
.reloadable();

pub(crate) static ARP_COUNT_REFRESH: Parameter<u64> = Parameter::new(
    "arp_count_refresh",
    text("Announcements by each monitor", "每次监控时的通告次数"),
    text(
        "How often each recurring monitor announces the address.",
        "每次周期监控通告该地址的次数。",
    ),
)
.default("0")
.bounds(0, 100)
.reloadable();

pub(crate) static NODAD: Parameter<bool> = Parameter::new(
    "nodad",
    text("Do not look for duplicates", "不检测地址冲突"),
    text(
        "Do not check before a start whether another host has the address. The check takes less than 100 ms; it is skipped anyway if tickle_dir \
         shows that the cluster itself had the address until a moment ago.",
        "启动前不检测地址是否已被他人占用。检测耗时不到 100 毫秒；若 tickle_dir 表明该地址片刻之前仍由本集群持有，则自动省略。",
    ),
)
.default("false")
.reloadable();

pub(crate) static NOPREFIXROUTE: Parameter<bool> = Parameter::new(
    "noprefixroute",
    text("Add no route to the subnet", "不添加子网路由"),
    text(
        "Do not let the kernel add a route to the subnet together with the address.",
        "添加地址时不让内核同时添加到该子网的路由。",
    ),
)
.default("false");

pub(crate) static PREFERRED_LFT: Parameter<Lifetime> = Parameter::new(
    "preferred_lft",
    text("Preferred lifetime (IPv6)", "首选生存期（IPv6）"),
    text(
        "For how many seconds this node may begin connections of its own from the address; 0 for never.",
        "本节点可以使用该地址主动发起连接的秒数；0 表示从不。",
    ),
)
.default("forever");

pub(crate) static CHECK_LINK_STATUS: Parameter<bool> = Parameter::new(
    "check_link_status",
    text("A dead link is a failure", "链路中断视为故障"),
    text(
        "Whether an interface that is switched off or has no carrier is a failure, at a start as well. With false the resource is only degraded, and the \
         address stays.",
        "网卡被关闭或无载波时是否视为故障，启动时同样检查。设为 false 时仅报告降级，地址保留。",
    ),
)
.default("true")
.reloadable();

pub(crate) static TICKLE_DIR: Parameter<AbsolutePath> = Parameter::new(
    "tickle_dir",
    text("Directory for the list of connections", "连接列表所在目录"),
    text(
        "A directory that the next node can read when it takes over, such as that of the database's file system. The connections of the \
         address are listed there, and the next node makes each client that is still there notice at once that the server has moved. \
         The address must then be started after the file system. It must exist; without it, or when it cannot be written, nothing else is \
         different.",
        "接管节点能够读取的目录，例如数据库文件系统中的目录。该地址上的连接记录于此，接管节点据此让仍在等待的客户端立即得知服务已迁移。\
         此时该地址必须在文件系统之后启动。目录必须存在；未设置或无法写入时，其他行为不变。",
    ),
)
.reloadable();

pub(crate) static METADATA: MetaData = MetaData {
    name: "virtual-ip",
    version: env!("CARGO_PKG_VERSION"),
    short: text(
        "Gives a node the address that clients use",
        "为节点绑定客户端使用的地址",
    ),
    long: text(
        "Gives a node an IPv4 or IPv6 address, tells the network, and takes the address away again. A stop ends the connections of the \
         address while it is still there, so that each client notices at once. The monitor looks whether the address is on the right \
         interface and that has a carrier; with OCF_CHECK_LEVEL=10 also whether another host answers for it. A watcher reports a removed address and a \
         dead link at once. Parameters mean the same as those of ocf:heartbeat:IPaddr2, which is the agent for clones and LVS.",
        "为节点绑定一个 IPv4 或 IPv6 地址并通告网络，停止时移除。停止操作在地址尚存时结束其上的连接，使每个客户端立即得知。监控检查该地址是否位于正确的网卡且有载波；\
         设置 OCF_CHECK_LEVEL=10 时还会检查是否有其他主机应答该地址。监视进程在地址被移除或链路中断时立即上报。参数含义与 ocf:heartbeat:IPaddr2 相同；克隆和 LVS 请使用后者。",
    ),
    parameters: &[
        &IP,
        &CIDR_NETMASK,
        &NIC,
        &BROADCAST,
        &IFLABEL,
        &ARP_COUNT,
        &ARP_INTERVAL,
        &ARP_COUNT_REFRESH,
        &NODAD,
        &NOPREFIXROUTE,
        &PREFERRED_LFT,
        &CHECK_LINK_STATUS,
        &TICKLE_DIR,
        &TRACE_RA,
        &TRACE_FILE,
    ],
    actions: &[
        ActionSpec::new(Action::Start, 20),
        ActionSpec::new(Action::Stop, 20),
        ActionSpec::monitor(20, 10, CheckLevel::Basic),
        ActionSpec::monitor(20, 60, CheckLevel::Service),
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
    fn values() {
        let none = Bounds::NONE;
        for wrong in [
            "",
            "10.0.0",
            "10.0.0.1/24",
            "0.0.0.0",
            "224.0.0.1",
            "::",
            "ff02::1",
            "255.255.255.255",
            "fe80::1%eth0",
        ] {
            assert!(Ip::parse(wrong, none).unwrap_err().contains("allowed"), "{wrong}");
        }
        assert_eq!(Prefix::parse("24", none), Ok(Prefix(24)));
        assert_eq!(Prefix::parse("255.255.252.0", none), Ok(Prefix(22)));
        for wrong in ["0", "129", "255.0.255.0", "0.0.0.0", "/24", "-1", "not_netmask"] {
            assert!(
                Prefix::parse(wrong, none).unwrap_err().contains("allowed"),
                "{wrong}"
            );
        }
        let nic = Nic::parse("eth0:web", none).unwrap();
        assert_eq!((nic.name.as_str(), nic.label.as_deref()), ("eth0", Some("web")));
        for wrong in ["", "a/b", "a b", "eth0:", ":x"] {
            assert!(
                Nic::parse(wrong, none).unwrap_err().contains("allowed"),
                "{wrong}"
            );
        }
        assert_eq!(Broadcast::parse("+", none), Ok(Broadcast::Last));
        assert!(
            Broadcast::parse("not_broadcast", none)
                .unwrap_err()
                .contains("allowed")
        );
        assert_eq!(Lifetime::parse("0", none), Ok(Lifetime(Some(0))));
        assert!(Lifetime::parse("never", none).unwrap_err().contains("allowed"));
    }
}

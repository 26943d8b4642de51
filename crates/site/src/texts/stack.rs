//! What is said of software that is too old.

crate::texts! {
    PACEMAKER_OLD: "Pacemaker {release} on {node} is too old: kaiwudb-ha and its agents need {least} or later; upgrade the operating system of both nodes first",
        "{node} 上的 Pacemaker {release} 过旧：kaiwudb-ha 及其代理要求 {least} 或更高版本；请先升级两个节点的操作系统";
    PCS_OLD: "pcs is too old ({release}): the commands that are printed here need {least} or later; upgrade the operating system of both nodes first",
        "pcs 过旧（{release}）：不支持此处给出的命令，要求 {least} 或更高版本；请先升级两个节点的操作系统";
}

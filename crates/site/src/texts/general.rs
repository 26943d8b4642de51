//! What all subcommands say.

crate::texts! {
    NODE_SILENT: "{node} did not answer: {why}", "{node} 没有应答：{why}";
    NO_SSH_TARGET: "no address is known for it; give one with ssh = \"...\" under [nodes.{node}] in {file}",
        "不知道它的地址；请在 {file} 的 [nodes.{node}] 下用 ssh = \"...\" 指定";
    NOT_INSTALLED_THERE: "kaiwudb-ha is not installed there", "该节点上没有安装 kaiwudb-ha";
    IMPOSSIBLE: "it says '{value}', which cannot be: nothing of its answer is used", "应答中有不可能的值“{value}”：该应答不予采用";
    NOT_ROOT: "{node}: not asked as root: keys, sudo rules and DRBD could not be read", "{node}：不是以 root 身份查询：密钥、sudo 规则和 DRBD 无法读取";
    CLUSTER_SILENT: "the cluster did not answer: {why}", "集群没有应答：{why}";
}

//! What all subcommands say.

texts! {
    NODE_SILENT: "{node} did not answer: {why}", "{node} 没有应答：{why}";
    NO_SSH_TARGET: "no address is known for it; give one with ssh = \"...\" under [nodes.{node}] in {file}",
        "不知道它的地址；请在 {file} 的 [nodes.{node}] 下用 ssh = \"...\" 指定";
    NOT_INSTALLED_THERE: "kaiwudb-ha is not installed there", "该节点上没有安装 kaiwudb-ha";
    NOT_ROOT: "{node}: not asked as root: keys, sudo rules and DRBD could not be read", "{node}：不是以 root 身份查询：密钥、sudo 规则和 DRBD 无法读取";
    CLUSTER_SILENT: "the cluster did not answer: {why}", "集群没有应答：{why}";
    SETTINGS_UNREADABLE: "cannot read {file}: {why}", "无法读取 {file}：{why}";
    SETTINGS_WRONG: "{file}, line {line}: {why}", "{file} 第 {line} 行：{why}";
    SETTINGS_UNKNOWN_KEY: "unknown key '{key}'; allowed here: {allowed}", "未知的键“{key}”；此处允许：{allowed}";
    SETTINGS_DID_YOU_MEAN: "; did you mean '{key}'?", "；是否想写“{key}”？";
    SETTINGS_TWO_NODES: "[nodes] names {count} nodes; allowed: exactly 2", "[nodes] 中有 {count} 个节点；只允许恰好 2 个";
    SETTINGS_NOT_AN_ADDRESS: "[nodes.{node}] address is '{value}'; allowed: an IP address",
        "[nodes.{node}] 的 address 是“{value}”；只允许 IP 地址";
    SETTINGS_NOT_A_TARGET: "[nodes.{node}] ssh is '{value}'; allowed: USER@HOST or HOST, without spaces and not starting with a dash",
        "[nodes.{node}] 的 ssh 是“{value}”；只允许 USER@HOST 或 HOST，不得含空格，不得以短横线开头";
}

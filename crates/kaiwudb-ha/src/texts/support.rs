//! What `support` says, and what stands in the archive's README.

site::texts! {
    GATHERING: "Gathering from this node and the other one; this takes up to {minutes} minutes where something hangs.",
        "正在从本节点和另一节点收集；如有组件挂起，最多需要 {minutes} 分钟。";
    GATHERING_HERE: "Gathering from this node; this takes up to {minutes} minutes where something hangs.",
        "正在从本节点收集；如有组件挂起，最多需要 {minutes} 分钟。";
    EXISTS: "{file} is there already and is not overwritten", "{file} 已存在，不会覆盖";
    NOT_WRITTEN: "cannot write {file}: {why}; nothing is left of it", "无法写入 {file}：{why}；没有留下任何内容";
    WRITTEN: "{file}  {size}, {count} files", "{file}  {size}，{count} 个文件";
    LOOK: "Secrets were removed by rule ({removed} places). Look through it before you send it: README lists what is in it.",
        "已按规则去除机密信息（{removed} 处）。发送前请自行检查；README 列出了全部内容。";
    NOT_ROOT: "not run as root: journals, DRBD and much of the configuration are missing", "不是以 root 身份执行：缺少日志、DRBD 和大部分配置";
    NODE_MISSING: "{node}: nothing could be had: {why}", "{node}：未能取得任何内容：{why}";
    SOME_MISSING: "{count} things could not be had; README says which and why", "有 {count} 项未能取得；README 中列出了内容和原因";
    TITLE: "Support archive of a KWDB (KaiwuDB) cluster, made by version {version} of kaiwudb-ha", "KWDB（KaiwuDB）集群支持归档，由版本为 {version} 的 kaiwudb-ha 生成";
    MADE: "Made on {node}, {time} UTC; logs since {since} UTC. All of it is text.", "生成于 {node}，{time} UTC；日志起点 {since} UTC。全部为文本。";
    REMOVED: "Removed: what stood where it says (removed). Rules: pem, attribute (XML), url, value (name and value), option (command lines), header (HTTP), sql (literals), opaque (what looks like a key). When in doubt it was removed. Keys of certificates, Corosync's authkey and files of keys are not read at all.",
        "已去除：标有 (removed) 之处。规则：pem、attribute（XML）、url、value（名称和值）、option（命令行）、header（HTTP）、sql（字面量）、opaque（形似密钥的内容）。有疑问的一律去除。证书私钥、Corosync 的 authkey 和密钥文件完全没有读取。";
    PART: "Node {node}: {count} files, {size}, gathered in {seconds} s at {time} UTC by version {version} of kaiwudb-ha", "节点 {node}：{count} 个文件，{size}，由版本为 {version} 的 kaiwudb-ha 于 {time} UTC 收集，用时 {seconds} 秒";
    CUT: "newest part only", "仅最新部分";
    FAILED: "Could not be had:", "未能取得：";
    ABSENT: "Is not there on this node:", "本节点上没有：";
}

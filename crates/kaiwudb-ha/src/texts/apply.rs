//! What `apply` says.

site::texts! {
    ASK: "Change the configuration? [y/N] ", "修改配置吗？[y/N] ";
    NO_TERMINAL: "standard input is not a terminal; use --yes to confirm", "标准输入不是终端；请用 --yes 确认";
    UNFENCED: "refused: there is no fencing device. A node that hangs or is isolated could not be fenced, and both nodes might write. Add one to {file}, or continue with --without-fencing:",
        "拒绝执行：没有隔离设备。无响应或失联的节点无法被隔离，两个节点可能同时写入。请在 {file} 中写入隔离设备，或用 --without-fencing 强制继续：";
    NOTHING_WOULD_START: "refused: fencing is enabled but nothing can fence, so Pacemaker would start nothing; configure a fencing device first",
        "拒绝执行：隔离已启用但没有可用的隔离手段，Pacemaker 不会启动任何资源；请先配置隔离设备";
    MAINTENANCE: "refused: the cluster is in maintenance mode and would do nothing; end it first: crm_attribute --type crm_config --name maintenance-mode --delete",
        "拒绝执行：集群处于维护模式，不会执行任何动作；请先结束维护模式：crm_attribute --type crm_config --name maintenance-mode --delete";
    NOT_INSTALLED: "{node}: KWDB is not installed (/etc/kaiwudb/info/MODE is missing or empty): a failover to this node would fail",
        "{node}：未安装 KWDB（/etc/kaiwudb/info/MODE 不存在或为空）：切换到该节点会失败";
    NO_DRBD: "{node}: DRBD has no resource '{resource}'; 'kaiwudb-ha apply --new-disks' creates it on empty disks, 'kaiwudb-ha plan --format drbd' prints its file and the commands to create it by hand",
        "{node}：DRBD 没有资源“{resource}”；kaiwudb-ha apply --new-disks 会在空磁盘上创建它，kaiwudb-ha plan --format drbd 会输出其配置文件和手动创建的命令";
    OVERTAKEN: "the configuration was changed by another user meanwhile: nothing was done; review it and run apply again",
        "配置同时被其他人修改：没有执行任何操作；请查看后重新执行 apply";
    CHANGED: "Configuration changed; the previous one is saved in {file}. Waiting for the cluster ...", "配置已修改；原配置保存在 {file}。正在等待集群……";
    UNDOING: "Not everything runs: rolling back ...", "并非全部正常运行：正在回滚到原配置……";
    CHANGED_SINCE: "the configuration has been changed by another user since", "此后配置又被其他人修改";
    UNDONE: "rolled back, the previous configuration is active: {why}", "已回滚，集群使用原配置：{why}";
    NOT_UNDONE: "{why}; and the change could not be rolled back: {error}. The previous configuration is in {file}; to restore it: cibadmin --replace --scope=configuration --xml-file {file}{refresh}",
        "{why}；并且无法回滚：{error}。原配置在 {file} 中；恢复命令：cibadmin --replace --scope=configuration --xml-file {file}{refresh}";
    NODE_AWAY: "{node} is not online", "{node} 不在线";
    NOT_ACTIVE: "{resource} does not run", "{resource} 没有运行";
    NOT_PROMOTED: "{resource} is not promoted on any node", "{resource} 没有在任何节点被提升";
    FAILED: "{operation} failed on {node}: {reason}", "{operation} 在 {node} 上失败：{reason}";
    NOT_SERVED: "{address} does not answer: {why}", "{address} 没有应答：{why}";
    SERVES: "Verified: {database} runs on {node}, and {address} answers.", "已验证：{database} 运行在 {node}，{address} 有应答。";
    STOPPED: "{resource} stays as its target-role says; to give it back to the cluster: crm_resource --resource {resource} --meta --delete-parameter target-role",
        "{resource} 保持 target-role 所要求的状态；交还集群：crm_resource --resource {resource} --meta --delete-parameter target-role";
    FENCED: "Fenced by: {devices}.", "隔离设备：{devices}。";
    FENCED_BY_WATCHDOG: "Fenced by: each node's watchdog (diskless SBD).", "隔离方式：各节点的看门狗（无磁盘 SBD）。";
    UNFENCED_NOW: "NOT FENCED: a node that hangs cannot be fenced.", "没有隔离：无响应的节点无法被隔离。";
}

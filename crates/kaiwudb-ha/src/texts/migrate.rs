//! What `migrate` says.

site::texts! {
    RUNS_ALREADY: "a migration is running on this node", "本节点上正在进行迁移";
    BEGUN_ELSEWHERE: "a migration that was started on {node} is not finished; finish it there: kaiwudb-ha migrate, or revert it there: kaiwudb-ha migrate --back",
        "在 {node} 上开始的迁移尚未结束；请在该节点上继续：kaiwudb-ha migrate，或回退：kaiwudb-ha migrate --back";
    NO_RECORD: "there is no record of a migration on this node ({file}); it is on the node on which migrate was run",
        "本节点上没有迁移记录（{file}）；记录在执行 migrate 的节点上";
    NOTHING: "Nothing to migrate: all resources of the database use the agents of this suite, or cannot.", "没有需要迁移的资源：数据库的所有资源均已使用本套件的代理，或无法使用。";
    KEPT: "{resource} stays with {agent}: {why}", "{resource} 继续使用 {agent}：{why}";
    PARAMETER_NEEDED: "{agent} has no {parameter}={value}", "{agent} 没有 {parameter}={value}";
    PARAMETER_LOST: "{resource}: {parameter}={value} no longer has an effect, {agent} has no such parameter", "{resource}：{parameter}={value} 不再起作用，{agent} 没有该参数";
    ELSEWHERE: "its agent or its parameters stand in a template, depend on a rule or are shared with another resource", "其代理或参数写在模板中、取决于规则，或与其他资源共用";
    CLONED: "it is in a clone or a bundle", "它位于克隆或 bundle 中";
    TWO_NODES: "the number of nodes in the cluster is {count}; allowed: exactly 2", "集群有 {count} 个节点；只允许恰好 2 个";
    CLUSTER_MAINTENANCE: "the cluster is in maintenance mode; end that first: crm_attribute -n maintenance-mode -D", "集群处于维护模式；请先退出：crm_attribute -n maintenance-mode -D";
    NODE_NOT_READY: "{node} is offline, in standby, in maintenance or unclean; both nodes must be able to run resources (kaiwudb-ha status)",
        "{node} 离线、待机、处于维护或状态不明；两个节点都必须能够运行资源（kaiwudb-ha status）";
    CONTAINER: "the database runs in a container; this command migrates servers that the unit starts directly", "数据库运行在容器中；本命令只迁移由服务单元直接启动的服务端";
    OTHER_VERSION: "{what} has different versions: {versions}; install the same package on both nodes", "{what} 的版本不同：{versions}；请在两个节点上安装相同的软件包";
    UNMANAGED: "{resource} is not managed by the cluster; end that first: crm_resource --meta -r {resource} -d is-managed", "{resource} 未受集群管理；请先恢复：crm_resource --meta -r {resource} -d is-managed";
    FAILED: "{resource} has failed; fix the cause, then forget the failure in maintenance mode, where nothing is restarted for it: crm_attribute --name maintenance-mode --update true; crm_resource --cleanup -r {resource}; crm_resource --wait; crm_attribute --name maintenance-mode --delete",
        "{resource} 有故障记录；请先排除原因，然后在维护模式下清除记录（不会引起重启）：crm_attribute --name maintenance-mode --update true; crm_resource --cleanup -r {resource}; crm_resource --wait; crm_attribute --name maintenance-mode --delete";
    NOT_MOUNTED: "nothing is mounted at {directory} on {node}, although the database runs there: ocf:kaiwudb:kaiwudb starts a server only where the store is a mount point (require_mount); mount its file system at the data directory itself",
        "{node} 上的数据库正在运行，但 {directory} 不是挂载点：ocf:kaiwudb:kaiwudb 只在数据目录本身是挂载点时启动服务端（require_mount）；请将文件系统直接挂载到数据目录";
    NO_SERVER: "no database server runs; start it in the cluster first", "没有服务端在运行；请先在集群中启动";
    SEVERAL_SERVERS: "more than one database server runs (kaiwudb-ha status)", "有多个服务端在运行（kaiwudb-ha status）";
    NOT_SERVING: "the server on {node} does not serve: {why}", "{node} 上的服务端未能提供服务：{why}";
    NOT_THE_UNITS: "the server on {node} was started by the agent, and systemd does not know it: going back would start a second one. Stop the database first (crm_resource --meta -r RESOURCE -p target-role -v Stopped), change the agent, and start it again",
        "{node} 上的服务端由代理启动，systemd 不认识它：回退会再启动一个服务端。请先停止数据库（crm_resource --meta -r RESOURCE -p target-role -v Stopped），更换代理后再启动";
    UNKNOWN_PARAMETER: "{resource} has the parameter {parameter}, which ocf:kaiwudb:drbd-promotable does not know", "{resource} 使用了参数 {parameter}，ocf:kaiwudb:drbd-promotable 不支持该参数";
    AGENT_MISSING: "{agent} cannot be used on {node}: {why}; install the package there", "{node} 上无法使用 {agent}：{why}；请在该节点上安装软件包";
    REPLICATION: "DRBD resource {resource} on {node}: {what}; wait for it or fix it first", "{node} 上的 DRBD 资源 {resource}：{what}；请等待其恢复或先修复";
    NOT_IDLE: "the cluster was still busy after {seconds} s: {why}", "集群在 {seconds} 秒后仍有未完成的动作：{why}";
    WOULD_ACT: "the cluster would act: {actions}", "集群将会执行动作：{actions}";
    NO_FENCING: "Fencing is off or has no device. The migration does not need it, but the cluster does: kaiwudb-ha check", "隔离已关闭或没有隔离设备。迁移不需要它，但集群需要：kaiwudb-ha check";
    LIMITS_LOST: "The unit's limits ({limits}) are in force until the next start of the server only, because the agent starts it without the unit. To keep them, afterwards: pcs resource update {resource} runtime=systemd; that restarts the database",
        "服务单元的限制（{limits}）只在服务端下次启动之前有效，因为代理启动服务端时不经过该单元。如需保留，请在迁移后执行：pcs resource update {resource} runtime=systemd；这会重启数据库";
    WHAT: "Without stopping the database, unmounting anything or removing an address:", "不停止数据库、不卸载文件系统、不移除地址：";
    HELD: "In maintenance meanwhile: {resources}", "期间处于维护模式：{resources}";
    UNIT_DISABLED: "kaiwudb.service is disabled on {nodes}: the cluster starts the database, not systemd", "将在 {nodes} 上禁用 kaiwudb.service：数据库由集群启动，而不是开机启动";
    UNIT_ENABLED: "kaiwudb.service is enabled on {nodes}, as it was", "将在 {nodes} 上恢复启用 kaiwudb.service";
    REHEARSED: "Rehearsed with crm_simulate: nothing is started, stopped or moved.", "已用 crm_simulate 预演：不会启动、停止或移动任何资源。";
    ASK: "Begin? [y/N] ", "开始吗？[y/N] ";
    NO_TERMINAL: "the migration asks first, but standard input is not a terminal; use --yes", "迁移前需要确认，但标准输入不是终端；请使用 --yes";
    INTERRUPTED: "A migration that was started at {time} UTC was interrupted in this step: {step}", "{time} UTC 开始的迁移在此步骤中断：{step}";
    ASK_FINISH: "Finish it (to revert it instead: kaiwudb-ha migrate --back)? [y/N] ", "继续完成吗（回退请用 kaiwudb-ha migrate --back）？[y/N] ";
    ASK_TAKE_BACK: "Revert it? [y/N] ", "回退吗？[y/N] ";
    STEP_HOLD: "put the resources concerned in maintenance", "将相关资源置于维护模式";
    STEP_EXCHANGE: "replace the agents in one change of the configuration", "一次性修改配置，更换代理";
    STEP_PROBE: "let the new agents probe on both nodes", "让新代理在两个节点上探测";
    STEP_PIN: "pin the store that this cluster owns", "登记集群拥有的数据目录";
    STEP_UNITS: "the vendor's unit: what starts the server at boot, what stops it first at shutdown", "厂商服务单元：设置开机启动方与关机停止顺序";
    STEP_RELEASE: "give everything back to the cluster", "将所有资源交还集群";
    STEP_LOOK: "verify that everything is as before", "检查一切是否与之前相同";
    STEP_DONE: "done", "完成";
    CHANGED_MEANWHILE: "the configuration was changed by another user meanwhile", "期间有其他人修改了配置";
    STILL_MANAGED: "the cluster still manages {resource}: it has a meta attribute of its own that says so", "集群仍在管理 {resource}：它自身的元属性如此规定";
    NOT_PROBED: "these were not probed within {seconds} s: {what}", "在 {seconds} 秒内没有探测：{what}";
    WRONG_PROBE: "the agent of {resource} found exit status {found} on {node}, not {expected}: {why}", "{resource} 的代理在 {node} 上探测到退出状态 {found}，而不是 {expected}：{why}";
    DIFFERENT: "something is not as before: {what}", "有些情况与之前不同：{what}";
    NOT_WELL: "{resource} is not managed or has failed (kaiwudb-ha status)", "{resource} 未受管理或有故障（kaiwudb-ha status）";
    STEP_FAILED: "Failed: {why}. Reverting:", "失败：{why}。正在回退：";
    NOTHING_DONE: "nothing was done", "没有做任何更改";
    UNDONE: "the migration failed and was reverted; the cluster is as before: {why}", "迁移失败并已回退；集群与之前相同：{why}";
    NOT_UNDONE: "the migration failed ({why}) and could not be reverted ({undo}); the resources concerned may still be in maintenance, where they run unmonitored; fix the cause, then run kaiwudb-ha migrate --back",
        "迁移失败（{why}），且未能回退（{undo}）；相关资源可能仍处于维护模式，继续运行但不受监控；请排除原因后执行 kaiwudb-ha migrate --back";
    MIGRATED: "Migrated. What is left to do: kaiwudb-ha check. To go back: kaiwudb-ha migrate --back", "迁移完成。剩余事项：kaiwudb-ha check。回退：kaiwudb-ha migrate --back";
    TAKEN_BACK: "Reverted: the cluster uses the guide's agents again.", "已回退：集群重新使用官方方案的代理。";
    DONE_BUT: "All steps were done and the cluster has everything back, but: {why}", "所有步骤均已完成，资源已交还集群，但是：{why}";
}

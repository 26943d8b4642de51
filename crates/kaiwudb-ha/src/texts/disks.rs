//! What `apply --new-disks` says about disks.

site::texts! {
    HEADING: "Steps on the disks first, each only while they are empty:", "首先对磁盘执行（每一步仅在磁盘为空时进行）：";
    WITH_THE_OPTION: "DRBD's resource is not ready. 'kaiwudb-ha apply --new-disks' takes these steps first, each only while the disks are empty:",
        "DRBD 资源尚未就绪。kaiwudb-ha apply --new-disks 会首先执行以下步骤，每一步仅在磁盘为空时进行：";
    WRITE_FILE: "{node}: {file} with a new secret, readable for root only", "{node}：写入 {file}，含新密钥，仅 root 可读";
    COPY_FILE: "{node}: {file} as on the other node", "{node}：写入与另一节点相同的 {file}";
    META_DATA: "{node}: drbdadm create-md {resource}      # {disk}, {size}, empty", "{node}：执行 drbdadm create-md {resource}      # {disk}，{size}，空";
    UP: "{node}: drbdadm up {resource}", "{node}：执行 drbdadm up {resource}";
    SKIP_SYNC: "{node}: drbdadm new-current-uuid --clear-bitmap {resource}/0      # both disks are new: nothing has to be copied",
        "{node}：执行 drbdadm new-current-uuid --clear-bitmap {resource}/0      # 两块磁盘都是新的：无需复制";
    FORMAT: "{node}: drbdadm primary {resource}; mkfs -t {type} {device}; drbdadm secondary {resource}",
        "{node}：执行 drbdadm primary {resource}；mkfs -t {type} {device}；drbdadm secondary {resource}";
    DEMOTE: "{node}: drbdadm secondary {resource}", "{node}：执行 drbdadm secondary {resource}";
    HIDDEN: "{node}: the database in {directory} on this node's own disk is hidden by the new file system, not copied: the cluster starts with an empty database",
        "{node}：本机磁盘上 {directory} 中的数据库在挂载后不可见（不会删除，也不会复制）：集群从空数据库开始";
    ASK: "Prepare the disks and change the configuration? [y/N] ", "准备磁盘并修改配置吗？[y/N] ";
    STEP_FAILED: "{step}: {why}; the steps before it are done; apply --new-disks continues from here", "{step}：{why}；之前的步骤已完成，再次执行 apply --new-disks 会从此处继续";
    NOT_CONNECTED: "the two nodes did not connect within {seconds} s; check the addresses in {file} and the firewall", "两个节点在 {seconds} 秒内没有建立 DRBD 连接；请检查 {file} 中的地址和防火墙";
    NOT_IN_STATE: "the nodes are connected, but after {seconds} s the disks are {disks}, not {wanted}; see drbdadm status; if a synchronisation is running, wait until it ends",
        "两个节点已连接，但 {seconds} 秒后磁盘状态为 {disks}，而不是 {wanted}；请查看 drbdadm status；若正在同步，请等待其结束";
    REFUSED: "refused, nothing was touched:", "拒绝执行，没有做任何改动：";
    NOT_DRBD: "--new-disks is about DRBD: the settings have no [drbd]", "--new-disks 用于 DRBD：设置中没有 [drbd]";
    NOT_THAT_KIND: "--new-disks makes {what}; {type} must be made by hand: drbdadm primary {resource} && mkfs -t {type} {device}; drbdadm secondary {resource}",
        "--new-disks 可创建 {what}；{type} 必须手动创建：drbdadm primary {resource} && mkfs -t {type} {device}; drbdadm secondary {resource}";
    NODE_UNKNOWN: "{node}: its disk cannot be inspected: {why}", "{node}：无法查看其磁盘：{why}";
    SERVER_RUNS: "{node}: the database runs in {directory} on this node's own disk; stop it first: systemctl disable --now kaiwudb.service",
        "{node}：数据库正运行在本机磁盘的 {directory} 中；请先停止：systemctl disable --now kaiwudb.service";
    NO_DISK: "{node}: {disk} is not a block device", "{node}：{disk} 不是块设备";
    NO_DIRECTORY: "{node}: there is no directory {directory} to mount the file system on, whose owner the new file system gets: install KWDB there, or create it with the same owner as on the other node",
        "{node}：没有可挂载文件系统的目录 {directory}，而新文件系统的所有者取自该目录：请在该节点上安装 KWDB，或以另一节点上的所有者创建该目录";
    HOLDS: "{node}: {disk} holds {what}. If nothing on it is needed, on that node: wipefs --all {disk} && dd if=/dev/zero of={disk} bs=1M count=1 conv=fsync",
        "{node}：{disk} 上有 {what}。若其内容不再需要，在该节点上执行：wipefs --all {disk} && dd if=/dev/zero of={disk} bs=1M count=1 conv=fsync";
    HOLDS_SOMETHING: "{node}: {disk} holds something without a signature. If nothing on it is needed, on that node: dd if=/dev/zero of={disk} bs=1M count=1 conv=fsync",
        "{node}：{disk} 上有无法识别的内容。若不再需要，在该节点上执行：dd if=/dev/zero of={disk} bs=1M count=1 conv=fsync";
    IN_USE: "{node}: {disk} is in use: {what}", "{node}：{disk} 正在使用：{what}";
    OTHER_DISK: "{node}: DRBD's resource {resource} is on {what}, the settings name {disk}", "{node}：DRBD 资源 {resource} 位于 {what}，而设置中是 {disk}";
    OTHER_DEVICE: "{node}: the file system is wanted on {device}, and the device of DRBD's resource {resource} is {what}", "{node}：文件系统应位于 {device}，而 DRBD 资源 {resource} 的设备是 {what}";
    NO_GENERATIONS: "{node}: {disk} has meta-data of DRBD, and 'drbdadm get-gi {resource}' does not show its generations: it is detached, or left over from a previous use; see drbdadm dump-md {resource}",
        "{node}：{disk} 上有 DRBD 元数据，但 drbdadm get-gi {resource} 无法给出其数据世代：磁盘已分离，或元数据来自其他资源；请查看 drbdadm dump-md {resource}";
    USED_BEFORE: "{device} looks empty, but DRBD's generations on {node} (drbdadm get-gi {resource}) say that it was used before. If nothing on it is needed: drbdadm primary {resource} && mkfs -t {type} {device}; drbdadm secondary {resource}",
        "{device} 看似为空，但 {node} 上的 DRBD 数据世代（drbdadm get-gi {resource}）表明它曾被使用。若其内容不再需要：drbdadm primary {resource} && mkfs -t {type} {device}; drbdadm secondary {resource}";
    UNKNOWN_CONTENT: "{device} holds something without a signature, the settings say {type}. If nothing on it is needed: drbdadm primary {resource} && mkfs -t {type} {device}; drbdadm secondary {resource}",
        "{device} 上有无法识别的内容，而设置中是 {type}。若其内容不再需要：drbdadm primary {resource} && mkfs -t {type} {device}; drbdadm secondary {resource}";
    UNFINISHED: "refused: the DRBD resource {resource} is incomplete:", "拒绝执行：DRBD 资源 {resource} 未创建完成：";
    WITHOUT_META_DATA: "{node}: {disk} has no meta-data of DRBD (drbdadm create-md {resource})", "{node}：{disk} 上没有 DRBD 元数据（drbdadm create-md {resource}）";
    WITHOUT_DATA: "neither disk has ever had data (drbdadm primary --force {resource}, or new-current-uuid)", "两块磁盘都从未有过数据（drbdadm primary --force {resource}，或 new-current-uuid）";
    WITHOUT_FILE_SYSTEM: "{device} has no file system (mkfs)", "{device} 上没有文件系统（mkfs）";
    GO_ON: "'kaiwudb-ha apply --new-disks' continues from there; by hand: the commands in 'kaiwudb-ha plan --format drbd'", "kaiwudb-ha apply --new-disks 会从此处继续；手动操作请参考 kaiwudb-ha plan --format drbd 输出的命令";
    OTHER_FILE: "{node}: {file} is there, and drbdadm does not find {resource} in it: drbdadm dump {resource}", "{node}：{file} 已存在，但 drbdadm 在其中找不到 {resource}：drbdadm dump {resource}";
    ELSEWHERE: "{node}: DRBD's resource {resource} is missing, and on the other node it is not in {file}: copy its configuration by hand",
        "{node}：缺少 DRBD 资源 {resource}，而另一节点上它不在 {file} 中：请手动复制其配置";
    OTHER_OWNER: "the owner of the database's directory has different numeric ids on the two nodes ({what}), and a file on the shared disk has only one: give the account the same uid and gid",
        "数据库目录属主在两个节点上的 uid/gid 不同（{what}），而共享磁盘上的文件只有一个：请使该账户的 uid 和 gid 一致";
    OTHER_CONTENT: "{device} holds {what}, the settings say {type}. If nothing on it is needed: drbdadm primary {resource} && wipefs --all {device} && dd if=/dev/zero of={device} bs=1M count=1 conv=fsync; drbdadm secondary {resource}",
        "{device} 上有 {what}，而设置中是 {type}。若其内容不再需要：drbdadm primary {resource} && wipefs --all {device} && dd if=/dev/zero of={device} bs=1M count=1 conv=fsync; drbdadm secondary {resource}";
    REPLACED: "{node}: {disk} is new, and the other node has data of {resource}: that is a replaced disk, not a new resource. DRBD copies the data after, on that node: drbdadm create-md {resource} && drbdadm up {resource}",
        "{node}：{disk} 是新盘，而另一节点有 {resource} 的数据：这是更换磁盘，不是新资源。在该节点上执行以下命令后 DRBD 会复制数据：drbdadm create-md {resource} && drbdadm up {resource}";
}

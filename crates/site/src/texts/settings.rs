//! What is wrong with the settings file.

crate::texts! {
    UNREADABLE: "cannot read {file}: {why}", "无法读取 {file}：{why}";
    WRONG: "{file}, line {line}: {why}", "{file} 第 {line} 行：{why}";
    UNSAFE: "{file} can be changed by {who}, and names programs that root runs: read it, then move it with 'mv {file} {safe}'",
        "{file} 可被 {who} 修改，而其中的程序由 root 执行：请先检查内容，再执行“mv {file} {safe}”";
    FORMER: "{file} is read for now; move it with 'mv {file} {safe}'", "暂时仍读取 {file}；请执行“mv {file} {safe}”";
    FOREIGN_PROGRAM: "{key} is {file}, which root runs and {who} can change; move it to /etc/kaiwudb-ha",
        "{key} 是 {file}，由 root 执行，却可被 {who} 修改；请移到 /etc/kaiwudb-ha";
    SEVERAL: "other accounts", "其他账户";
    OPEN: "{file} contains a password and others may read it: chmod 600 {file}", "{file} 中有密码且其他用户可读：chmod 600 {file}";
    UNKNOWN_KEY: "unknown key '{key}'; allowed here: {allowed}", "未知的键“{key}”；此处允许：{allowed}";
    DID_YOU_MEAN: "; did you mean '{key}'?", "；是否应为“{key}”？";
    IMPOSSIBLE: "{key} is '{value}'; allowed: {allowed}", "{key} 是“{value}”；允许：{allowed}";
    TWO_NODES: "the number of nodes in [nodes] is {count}; allowed: exactly 2", "[nodes] 中有 {count} 个节点；只允许恰好 2 个";
    ADDRESS: "an IP address", "IP 地址";
    TWICE: "an address that no other node has", "其他节点没有使用的地址";
    NOT_A_NODES: "an address that no node has; this one is {node}'s own", "任何节点都没有使用的地址；这是 {node} 自己的地址";
    VIRTUAL_ADDRESS: "an IP address without prefix length, which goes into the key 'prefix'", "不带前缀长度的 IP 地址，前缀长度写入键“prefix”";
    PREFIX_4: "1 to 32", "1 到 32 的整数";
    PREFIX_6: "1 to 128", "1 到 128 的整数";
    INTERFACE: "the name of a network interface, at most 15 characters", "网络接口名，最多 15 个字符";
    SSH_TARGET: "USER@HOST or HOST, without spaces and not starting with a dash", "USER@HOST 或 HOST，不得含空格，不得以短横线开头";
    HOST: "a host name or an IP address", "主机名或 IP 地址";
    WRONG_NAME: "a node cannot be called '{name}'; allowed: {allowed}", "节点名不能是“{name}”；允许：{allowed}";
    NAME: "letters, digits, '-', '_' and '.', beginning with a letter or digit", "字母、数字、“-”、“_”和“.”，以字母或数字开头";
    DEVICE: "a path below /dev, preferably in /dev/disk/by-id, which does not change", "/dev 之下的路径，最好是不会改变的 /dev/disk/by-id 路径";
    DRBD_DEVICE: "/dev/drbdN, where N is a number", "/dev/drbdN，其中 N 是数字";
    SAME_DEVICE: "{device}, the device of [drbd], or nothing", "{device}，即 [drbd] 的设备，或不写";
    DIRECTORY: "an absolute path that is not a system directory", "绝对路径，且不是系统目录";
    FILE_SYSTEM: "ext4, xfs, ext3, btrfs", "ext4、xfs、ext3、btrfs 之一";
    OPTIONS: "mount options separated by commas, without spaces", "以逗号分隔的挂载选项，不含空格";
    PORT: "1 to 65535", "1 到 65535 的整数";
    PROTOCOL: "C: with any other one a commit is acknowledged before the other node has it", "C：使用其他协议时，提交在另一节点收到之前就会被确认";
    DELAY: "a time from 0s to 60s, such as 2s", "0s 到 60s 之间的时间，例如 2s";
    FENCED_TWICE: "both [fencing.device] and [nodes.NAME.fencing] are present; allowed: one device for both nodes, or one for each node",
        "同时写了 [fencing.device] 和 [nodes.NAME.fencing]；允许：两个节点共用一个设备，或每个节点各一个";
    FENCED_HALF: "only one node has a fencing device; allowed: [nodes.NAME.fencing] for both nodes, or [fencing.device]",
        "只有一个节点有隔离设备；允许：两个节点都写 [nodes.NAME.fencing]，或写 [fencing.device]";
    NO_AGENT: "{table} has no agent; write for example agent = \"fence_ipmilan\"; 'stonith_admin --list-installed' shows which there are",
        "{table} 没有 agent；例如写 agent = \"fence_ipmilan\"；可用的代理见“stonith_admin --list-installed”";
    UNPRINTABLE: "{key} has a character that a terminal does not show, such as a line break; allowed: text on one line",
        "{key} 含有终端无法显示的字符（例如换行符）；应为单行文本";
    FENCE_AGENT: "the name of a fence agent, such as fence_ipmilan; 'stonith_admin --list-installed' shows which there are",
        "隔离代理的名称，例如 fence_ipmilan；可用的代理见“stonith_admin --list-installed”";
    ALERT_LANGUAGE: "en or zh", "en 或 zh";
    ALERT_NAME: "1 to 60 characters on one line", "1 到 60 个字符的单行文本";
    ENCRYPTION: "starttls, tls or none", "starttls、tls 或 none 之一";
    MAILBOX: "a mail address, such as dba@example.com", "邮件地址，例如 dba@example.com";
    ABSOLUTE: "an absolute path", "绝对路径";
    URL: "a URL that begins with https:// or http://, without spaces", "以 https:// 或 http:// 开头的 URL，不含空格";
    INCOMPLETE: "{table} is incomplete or says something twice; it has to do with {keys}", "{table} 不完整或重复；涉及的键：{keys}";
    SAID_TWICE: "both {file} and {command} are present; allowed: one of them", "同时写了 {file} 和 {command}；只允许其中之一";
    PASSWORD_IN_CLEAR: "[[alerts.mail]] would send the password without encryption; allowed: encryption = \"starttls\" or \"tls\"", "[[alerts.mail]] 会以明文发送密码；应为 encryption = \"starttls\" 或 \"tls\"";
}

//! What is said about the settings with which a crash takes no rows.

site::texts! {
    OFF: "The server on {node} has {settings}: when the node crashes, acknowledged time-series rows can be lost, however often the store is flushed.",
        "{node} 上的服务端设置为 {settings}：无论多久刷盘一次，节点崩溃时已确认的时序数据仍可能丢失。";
    COST: "With the durable settings each insert of time series waits for the disk: with a single client, a real server made 333 instead of 632 inserts per second when every write was synchronous. To go back: kaiwudb-ha durable --back",
        "启用持久设置后，每次写入时序数据都要等待落盘：在真实服务端上，单个客户端且所有写入均同步时，每秒插入由 632 次降为 333 次。恢复原状：kaiwudb-ha durable --back";
    ASK: "Set them on {node} now? [y/N] ", "现在就在 {node} 上启用吗？[y/N] ";
    ASK_BACK: "Reset them to the server's defaults? [y/N] ", "恢复为服务端默认值吗？[y/N] ";
    NO_TERMINAL: "standard input is not a terminal; use --yes to confirm", "标准输入不是终端；请用 --yes 确认";
    LATER: "To set them, on {node}: kaiwudb-ha durable", "如需启用，请在 {node} 上执行：kaiwudb-ha durable";
    DONE: "The settings are durable.", "设置已改为持久。";
    ALREADY: "The settings are durable already.", "设置已经是持久的。";
    RESET: "The settings are the server's defaults again: acknowledged time-series rows can be lost when the node crashes.", "设置已恢复为服务端默认值：节点崩溃时已确认的时序数据可能丢失。";
    FAILED: "{node}: {why}; the settings are unchanged", "{node}：{why}；设置未更改";
    NO_SERVER: "no server answers at {address} ({why}); run this on the node where the database runs (kaiwudb-ha status)",
        "{address} 没有服务端应答（{why}）；请在运行数据库的节点上执行（kaiwudb-ha status）";
    NOT_SPOKEN: "this command does not speak TLCP; run these statements in an SQL client: {statements}", "本命令不支持 TLCP；请在 SQL 客户端中执行：{statements}";
    UNKNOWN: "this release of the server does not know {settings}", "该版本的服务端不支持设置 {settings}";
    REFUSED: "the server refuses {statement}: {why}", "服务端拒绝执行 {statement}：{why}";
}

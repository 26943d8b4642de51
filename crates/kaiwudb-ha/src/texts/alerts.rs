//! What `alerts` says.

site::texts! {
    NOT_CONFIGURED: "{file} has no [alerts]: write whom to tell there, on both nodes", "{file} 中没有 [alerts]：请在两个节点上写明通知对象";
    NO_CHANNEL: "[alerts] names no channel; add for example [[alerts.mail]]", "[alerts] 中没有任何通知渠道；例如可添加 [[alerts.mail]]";
    SENT: "sent", "已发送";
    OVERTAKEN: "the configuration was changed meanwhile; try again", "配置同时被修改；请重试";
    REMOVED: "The cluster no longer tells of incidents; the settings are still there.", "集群不再发送事件通知；设置仍然保留。";
    NO_SYSTEMD: "there is no systemd here: have 'kaiwudb-ha alerts deliver' run every minute, by cron for example", "此处没有 systemd：请用 cron 等方式每分钟执行一次“kaiwudb-ha alerts deliver”";
    NO_INCIDENTS: "This node knows of no incident.", "本节点没有事件记录。";
    OPEN: "open", "未恢复";
    OVER: "over", "已恢复";
}

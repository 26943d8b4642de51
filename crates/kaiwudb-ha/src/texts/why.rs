//! What `why` says around the answer.

site::texts! {
    TITLE: "Incident {incident}, began {time} UTC", "事件 {incident}，开始于 {time} UTC";
    FIRST: "What failed first:", "最先发生的问题：";
    DID: "What the cluster did:", "集群的处理：";
    COST: "What it cost:", "影响：";
    UNKNOWN: "What is not known:", "尚不清楚：";
    NEXT: "What to do next:", "下一步：";
    TIMELINE: "Timeline (UTC):", "时间线（UTC）：";
    NOTHING: "No incident is recorded in this time.", "这段时间内没有事件记录。";
    NOT_ASKED: "{node} could not be asked: {why}", "无法查询 {node}：{why}";
    NO_SUCH: "no incident {incident} is known; 'kaiwudb-ha why --list' shows them", "没有事件 {incident}；kaiwudb-ha why --list 可列出全部事件";
    OPEN: "not over", "未恢复";
}

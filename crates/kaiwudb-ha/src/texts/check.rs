//! What `check` says around its findings.

site::texts! {
    ERROR: "ERROR", "错误";
    WARNING: "WARNING", "警告";
    ADVICE: "INFO", "建议";
    EVIDENCE: "evidence", "证据";
    CONSEQUENCE: "impact  ", "后果";
    FIX: "fix     ", "修复";
    NOTHING: "No problems found.", "没有发现问题。";
    NOTHING_ANSWERED: "No problems found in what could be examined; see the lines with ? for the rest.", "已检查的部分没有发现问题；其余部分见带 ? 的行。";
    COUNTS: "errors: {errors}, warnings: {warnings}, recommendations: {advice}", "{errors} 个错误，{warnings} 个警告，{advice} 条建议";
    NOTHING_NEW: "Nothing has come or gone since the last check.", "自上次检查以来没有变化。";
    GONE: "gone: {id}", "已消除：{id}";
    GONE_ON: "gone: {id}  ({node})", "已消除：{id}（{node}）";
    FIXABLE: "{count} of them can be fixed now: kaiwudb-ha check --fix", "其中 {count} 个可以立即修复：kaiwudb-ha check --fix";
    ASK: "Run on {node}: {command}? [y/N] ", "在 {node} 上执行：{command}？[y/N] ";
    HERE: "this node", "本节点";
    FIXED: "done: {command}", "完成：{command}";
    NOT_FIXED: "{command}: {why}", "未完成 {command}：{why}";
    NO_TERMINAL: "--fix asks before each command, but standard input is not a terminal; use --yes to answer yes to all",
        "--fix 会在每条命令前询问，但标准输入不是终端；如全部同意请加 --yes";
}

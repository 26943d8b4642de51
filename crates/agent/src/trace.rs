//! Tracing on request: the parameters `trace_ra` and `trace_file` that users know from other agents. pcs adds them only for
//! the providers heartbeat and pacemaker, so every agent of ours declares them.

use ocf::{AbsolutePath, Env, MetaData, Parameter, Parameters, Text};
use std::path::{Path, PathBuf};

/// Whether every step of every action is written down.
pub static TRACE_RA: Parameter<bool> = Parameter::new(
    "trace_ra",
    Text { en: "Write down every step", zh: "跟踪每一步" },
    Text {
        en: "Write every step of every action, with times, to trace_file. For finding out what an agent does; not for daily use.",
        zh: "将每个动作的每一步及耗时写入 trace_file。用于排查代理行为，不建议日常使用。",
    },
)
.default("false")
.reloadable();

/// Where it is written.
pub static TRACE_FILE: Parameter<AbsolutePath> = Parameter::new(
    "trace_file",
    Text { en: "File for trace_ra", zh: "trace_ra 的输出文件" },
    Text {
        en: "File to which trace_ra writes. Default: /var/lib/heartbeat/trace_ra/<agent>/<resource>.<action>.",
        zh: "trace_ra 的输出文件。默认为 /var/lib/heartbeat/trace_ra/<代理>/<资源>.<动作>。",
    },
)
.reloadable();

/// The file for this action, when tracing is asked for.
pub(crate) fn file(env: &Env, table: &'static MetaData, action: &str) -> Option<PathBuf> {
    if !table.declares("trace_ra") {
        return None;
    }
    let parameters = Parameters::new(env, table, true);
    if !parameters.get(&TRACE_RA).unwrap_or(false) {
        return None;
    }
    let given = parameters.given(&TRACE_FILE).ok().flatten().map(PathBuf::from);
    Some(given.unwrap_or_else(|| {
        let name = format!("{}.{action}", env.instance().replace('/', "_"));
        Path::new("/var/lib/heartbeat/trace_ra")
            .join(table.name)
            .join(name)
    }))
}

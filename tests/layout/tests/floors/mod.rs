//! Who stands above whom. The highest floor comes first; what stands on one floor does not know each other.

/// The packages, by the names by which they depend on each other.
pub(crate) const PACKAGES: &[&[&str]] = &[
    &["kaiwudb-ha"],
    &["metrics"],
    &["site"],
    &[
        "cert-sync-agent",
        "drbd-promotable-agent",
        "filesystem-agent",
        "kaiwudb-agent",
        "virtual-ip-agent",
    ],
    &["agent"],
    &["alerts", "certs", "drbd", "kwdb", "network", "pacemaker"],
    &["chart", "host", "ocf", "redact", "testing"],
];

/// The floors of one package.
pub(crate) struct Floors {
    /// Its directory.
    pub(crate) package: &'static str,
    /// Its rooms, which are the modules of its root; `lib` is the root itself.
    pub(crate) rooms: &'static [&'static [&'static str]],
}

/// The rooms of every package.
pub(crate) const FLOORS: &[Floors] = &[
    Floors {
        package: "agents/cert-sync",
        rooms: &[
            &["lib"],
            &["monitor"],
            &["start", "stop"],
            &["attributes", "reconcile"],
            &["finding", "view"],
            &["local", "reasons", "server", "validate", "volume"],
            &["config"],
            &["parameters", "real_path", "run_directory"],
        ],
    },
    Floors {
        package: "agents/drbd-promotable",
        rooms: &[
            &["lib"],
            &["notify"],
            &["start", "stop"],
            &["demote", "promote"],
            &["monitor"],
            &["watcher"],
            &["give_up", "outdate"],
            &["preflight", "score"],
            &["config", "progress"],
            &["fence_peer", "parameters", "run_directory"],
        ],
    },
    Floors {
        package: "agents/filesystem",
        rooms: &[
            &["lib"],
            &["stop"],
            &["free"],
            &["start", "unmount", "users"],
            &["action_lock", "monitor", "targets", "validate"],
            &["config"],
            &["note", "parameters"],
        ],
    },
    Floors {
        package: "agents/kaiwudb",
        rooms: &[
            &["lib"],
            &["monitor", "start"],
            &["degraded", "launch", "reload", "stop"],
            &["sentinel", "series"],
            &["diagnosis", "preflight"],
            &["concern", "drain", "identity", "runtime", "server"],
            &["durability"],
            &["config"],
            &["parameters"],
            &["run_directory", "values"],
        ],
    },
    Floors {
        package: "agents/virtual-ip",
        rooms: &[
            &["lib"],
            &["monitor", "start", "stop"],
            &["watcher"],
            &["inspect", "list", "validate"],
            &["peers", "place"],
            &["config", "neighbours"],
            &["parameters", "scene"],
        ],
    },
    Floors {
        package: "crates/agent",
        rooms: &[
            &["lib"],
            &["companion", "driver"],
            &["last_place"],
            &[
                "action_deadline",
                "report",
                "resource_agent",
                "run_directory",
                "trace",
            ],
        ],
    },
    Floors {
        package: "crates/alerts",
        rooms: &[
            &["lib"],
            &["outbox"],
            &["channel", "spool"],
            &["event", "message", "secret"],
        ],
    },
    Floors {
        package: "crates/certs",
        rooms: &[
            &["lib"],
            &["install"],
            &["decide"],
            &["bundle", "directory", "judge"],
            &["authority", "record", "seal", "set", "volume"],
            &["describe", "digest", "disk", "key", "name"],
        ],
    },
    Floors {
        package: "crates/chart",
        rooms: &[&["lib"]],
    },
    Floors {
        package: "crates/drbd",
        rooms: &[
            &["policy"],
            &["health", "holders", "proc_drbd", "tools"],
            &["resource"],
            &[
                "config",
                "event",
                "follow",
                "generation",
                "kernel",
                "lib",
                "state",
            ],
        ],
    },
    Floors {
        package: "crates/host",
        rooms: &[
            &["evasion", "holders", "lib", "user"],
            &["block", "command", "namespace"],
            &["daemon", "mount", "reference", "tcp"],
            &["account", "bounded", "lock", "net", "origin", "packet", "process"],
            &["clean_slate", "deadline", "file", "log", "pidfd", "this_host"],
            &["printable", "untrusted"],
        ],
    },
    Floors {
        package: "crates/kaiwudb-ha",
        rooms: &[
            &["lib"],
            &["cli"],
            &["verbs"],
            &["disks", "durable"],
            &["render", "undecided"],
            &["context", "design", "since"],
            &["handbook", "texts", "ui"],
        ],
    },
    Floors {
        package: "crates/kwdb",
        rooms: &[
            &["clients", "durability", "environment", "series", "server"],
            &[
                "address",
                "health",
                "identity",
                "installation",
                "lib",
                "process",
                "signatures",
                "sql",
                "store",
            ],
            &["tls"],
        ],
    },
    Floors {
        package: "crates/metrics",
        rooms: &[&["lib", "samples"], &["families", "http"], &["exposition"]],
    },
    Floors {
        package: "crates/network",
        rooms: &[
            &["lib", "arrival", "neighbour", "refusal"],
            &["reset"],
            &["address", "connection", "link", "route", "wire"],
            &["checksum", "netlink", "subnet"],
        ],
    },
    Floors {
        package: "crates/ocf",
        rooms: &[
            &["lib"],
            &["notify"],
            &["env", "render"],
            &["metadata"],
            &["parameter"],
            &["failure", "state", "value"],
            &[
                "action",
                "boolean",
                "check_level",
                "exit_code",
                "feature_set",
                "instance",
                "role",
                "time",
            ],
        ],
    },
    Floors {
        package: "crates/pacemaker",
        rooms: &[
            &["failure", "idle", "merge"],
            &["last_place"],
            &["compare", "score", "simulate", "status"],
            &["attribute", "change", "lib", "live", "node"],
            &["cib", "model"],
            &["error", "version", "xml"],
        ],
    },
    Floors {
        package: "crates/redact",
        rooms: &[
            &["lib"],
            &["line"],
            &["option", "value"],
            &["state"],
            &["opaque", "pem", "sql", "tag", "url"],
            &["clean", "names", "scan"],
            &["rule"],
        ],
    },
    Floors {
        package: "crates/site",
        rooms: &[
            &["pulse"],
            &["placement"],
            &["kept"],
            &["readiness", "status"],
            &["leftover"],
            &[
                "alerting",
                "cluster",
                "drbd_dialect",
                "guard",
                "incident",
                "neighbours",
            ],
            &["doubt", "stack"],
            &["node"],
            &["context", "fencing", "history", "order"],
            &["support"],
            &["logs"],
            &["facts"],
            &["settings"],
            &["drill", "tables", "texts"],
            &[
                "language",
                "lib",
                "mount_point",
                "roles",
                "shell",
                "time",
                "value",
            ],
        ],
    },
    Floors {
        package: "crates/testing",
        rooms: &[&["lib"]],
    },
];

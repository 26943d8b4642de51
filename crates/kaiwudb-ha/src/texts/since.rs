//! What is wrong with `--since`.

site::texts! {
    SINCE: "'{since}' is neither a time span such as 12h nor a time in UTC such as 2026-12-01T10:00",
        "“{since}”既不是 12h 这样的时间段，也不是 2026-12-01T10:00 这样的 UTC 时间";
    FUTURE: "'{since}' is in the future", "“{since}”是将来的时间";
}

//! What the stand-in says about itself.

/// Its version: the KWDB release it imitates, and that it is no KWDB.
pub(crate) const VERSION: &str = "3.2.1-standin";

const PLATFORM: &str = "linux amd64";

/// The lines of `kwbase version`.
pub(crate) fn lines() -> String {
    format!(
        "KaiwuDB Version:  {VERSION}\n\
         Build Time:       unknown\n\
         Distribution:     stand-in of kaiwudb-ha's tests (PostgreSQL inside, not KWDB)\n\
         Platform:         {PLATFORM}\n\
         Go Version:       none (Rust)\n\
         C Compiler:       none\n\
         Build SHA-1:      none\n"
    )
}

/// The answer to `SELECT version()`.
pub(crate) fn sql() -> String {
    format!(
        "KaiwuDB {VERSION} ({}-linux-gnu, stand-in on PostgreSQL)",
        std::env::consts::ARCH
    )
}

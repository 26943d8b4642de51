//! What the server's last log lines mean.
//!
//! The exit status alone says little: 1 is a port in use as well as a corrupted store. This table maps words of the log or
//! of standard error to a sentence that names the cause and the next step. Measured on KWDB built from the public source
//! (2026-07); sentences of other releases that match nothing are simply quoted.

use regex::Regex;

/// A known way to fail.
struct Signature {
    pattern: &'static str,
    /// Cause and next step, short enough for `crm_mon`; `$1` is the first group of the pattern.
    meaning: &'static str,
}

const SIGNATURES: &[Signature] = &[
    Signature {
        pattern: r"consider changing the port via (--[a-z-]+): listen tcp (\S+): bind: address already in use",
        meaning: "another process listens on $2; end it or change the port ($1)",
    },
    Signature {
        pattern: r"listen tcp (\S+): bind: cannot assign requested address",
        meaning: "address $1 is not on this node; listen on 0.0.0.0 or on this node's own address",
    },
    Signature {
        pattern: r"could not lock temporary directory (\S+?),",
        meaning: "another server uses this store (its lock in $1 is held); end it first",
    },
    Signature {
        pattern: r"(?i)lock (\S*LOCK)\S*: Resource temporarily unavailable",
        meaning: "another server uses this store ($1 is held); end it first",
    },
    Signature {
        pattern: r"cluster start mode file does not exist",
        meaning: "kwbase.start_mode is missing: the store is incomplete or none; restore it from a backup",
    },
    Signature {
        pattern: r"check start mode failed! Node start mode is ([a-z-]+), should be ([a-z-]+)",
        meaning: "the store was made with '$2' and cannot be started with '$1'; set start_mode=$2",
    },
    Signature {
        pattern: r"cannot verify empty engine for bootstrap",
        meaning: "the store is incomplete (CURRENT is missing); restore it from a backup",
    },
    Signature {
        pattern: r"key file (\S+) has permissions (\S+), exceeds (\S+)",
        meaning: "$1 may be read by others ($2); run chmod 600 $1",
    },
    Signature {
        pattern: r"open (\S+\.key): permission denied",
        meaning: "the service user cannot read $1; make the service user its owner (chown)",
    },
    Signature {
        pattern: r"(?i)cannot load certificates",
        meaning: "the certificates cannot be loaded; ca.crt, node.crt and node.key must belong together",
    },
    Signature {
        pattern: r"(?i)x509: certificate has expired",
        meaning: "a certificate has expired; make new ones with kwbase cert create-node",
    },
    Signature {
        pattern: r"unknown flag: (--[A-Za-z0-9-]+)",
        meaning: "the server does not know the flag $1; check KAIWUDB_START_ARG, extra_args and secure_mode",
    },
    Signature {
        pattern: r"cannot use --join with",
        meaning: "--join in KAIWUDB_START_ARG or extra_args is for clusters of many servers; remove it",
    },
    Signature {
        pattern: r"(?i)no space left on device",
        meaning: "the disk is full (on both nodes, it is replicated); free space or enlarge it",
    },
    Signature {
        pattern: r"(?i)disk quota exceeded",
        meaning: "the service user's disk quota is used up; raise it",
    },
    Signature {
        pattern: r"(?i)read-only file system",
        meaning: "the file system is read-only, often after an I/O error; check kernel log and disk",
    },
    Signature {
        pattern: r"(?i)disk stall detected",
        meaning: "the disk does not answer; check the kernel log, DRBD and the disk",
    },
    Signature {
        pattern: r"(?i)input/output error",
        meaning: "the disk reports I/O errors; check the kernel log and the disk",
    },
    Signature {
        pattern: r"(?i)(?:time ?zone|tzdata|zoneinfo)[^\n]*(?:not|missing|unable|cannot|unknown)|(?:unable|cannot)[^\n]*(?:time ?zone|tzdata|zoneinfo)",
        meaning: "the time zone database is missing; install tzdata",
    },
    Signature {
        pattern: r"(?i)(?:too many open files|file descriptor limit)",
        meaning: "the limit of open files is too low; raise nofile",
    },
    Signature {
        pattern: r"(?i)cannot allocate memory|out of memory",
        meaning: "the server got no memory; check vm.max_map_count, limits and what else runs here",
    },
    Signature {
        pattern: r"error while loading shared libraries: (\S+):",
        meaning: "library $1 is missing; install kaiwudb-libcommon or run ldconfig",
    },
    Signature {
        pattern: r"(?i)version [^\n]* (?:is not supported|too (?:new|old)|not compatible)|incompatible[^\n]*version|unknown store version",
        meaning: "another release of the server wrote the store; install the same one on both nodes",
    },
    Signature {
        pattern: r"(?i)(?:clock|wall time)[^\n]*(?:backward|jump|offset|in the future)",
        meaning: "the clock of this node is wrong; synchronise it (chrony)",
    },
    Signature {
        pattern: r"(?i)(?:SIGSEGV|segmentation fault)",
        meaning: "the server crashed (segmentation fault): damaged time-series data? see errlog.log in the store",
    },
    Signature {
        pattern: r"(?i)corruption|checksum mismatch",
        meaning: "the store is damaged; restore it from a backup",
    },
    Signature {
        pattern: r"(?i)mkdir (\S+): permission denied|open (\S+): permission denied",
        meaning: "the service user may not write $1$2; make the service user the owner of data_root",
    },
    Signature {
        pattern: r"(?i)permission denied",
        meaning: "the service user lacks a permission; check the owner of data_root and of the certificates",
    },
    Signature {
        pattern: r"(?m)^panic: (.+)$",
        meaning: "the server panicked: $1",
    },
];

/// The meaning of the first signature found in `text`, in the order of the table (specific before general). The patterns are compiled
/// here, on a failure path only: a healthy monitor does not pay for them.
pub fn explain(text: &str) -> Option<String> {
    SIGNATURES.iter().find_map(|signature| {
        let found = Regex::new(signature.pattern).ok()?.captures(text)?;
        let mut meaning = String::new();
        found.expand(signature.meaning, &mut meaning);
        Some(meaning)
    })
}

/// The last lines of a log that say something, without their prefixes: what to quote when no signature matches.
pub fn last_words(text: &str, most: usize) -> String {
    let prefix = Regex::new(r"^[IWEF]\d{6} \d\d:\d\d:\d\d\.\d+ \d+ \S+\s+(?:\[[^\]]*\]\s*)?(?:\d+\s+)?").ok();
    let said: Vec<String> = text
        .lines()
        .map(|line| {
            prefix
                .as_ref()
                .map_or(line.into(), |prefix| prefix.replace(line, ""))
                .trim()
                .to_owned()
        })
        .filter(|line| !line.is_empty() && !line.starts_with("goroutine "))
        .collect();
    said[said.len().saturating_sub(most)..].join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meaning_can_be_read_in_crm_mon() {
        for signature in SIGNATURES {
            // 127 characters are shown; a group may bring some.
            assert!(signature.meaning.len() <= 100, "{}", signature.meaning);
        }
    }

    #[test]
    fn every_pattern_compiles() {
        for signature in SIGNATURES {
            assert!(Regex::new(signature.pattern).is_ok(), "{}", signature.pattern);
        }
    }

    /// Words of a real server, as measured.
    #[test]
    fn words_of_a_real_server() {
        for (words, meaning) in [
            (
                "Error: consider changing the port via --http-addr: listen tcp 0.0.0.0:8080: bind: address already in use",
                "another process listens on 0.0.0.0:8080",
            ),
            (
                "could not lock temporary directory /data/kwbase-temp1, may still be in use: x/TEMP_DIR.LOCK: Resource temporarily unavailable",
                "another server uses this store",
            ),
            (
                "Error: cluster start mode file does not exist",
                "kwbase.start_mode is missing",
            ),
            (
                "check start mode failed! Node start mode is start-single-node, should be start",
                "made with 'start' and cannot be started with 'start-single-node'",
            ),
            (
                "cannot load certificates. key file /c/node.key has permissions -rw-r-----, exceeds -rwx------",
                "/c/node.key may be read by others (-rw-r-----)",
            ),
            ("unknown flag: --tlcp", "does not know the flag --tlcp"),
            (
                "failed to create engines: write /d/000001.sst: no space left on device",
                "the disk is full",
            ),
            (
                "write x.log: read-only file system",
                "the file system is read-only",
            ),
            (
                "disk stall detected: unable to sync log files within 30s",
                "the disk does not answer",
            ),
            (
                "cannot verify empty engine for bootstrap: unable to read store ident",
                "the store is incomplete (CURRENT is missing)",
            ),
            (
                "open /var/lib/kaiwudb/LOCK: permission denied",
                "may not write /var/lib/kaiwudb/LOCK",
            ),
            (
                "kwbase: error while loading shared libraries: libkwdbts2.so: cannot open",
                "library libkwdbts2.so is missing",
            ),
        ] {
            let said = explain(words).unwrap_or_default();
            assert!(
                said.contains(meaning),
                "{words}\n  says: {said}\n  not:  {meaning}"
            );
        }
        assert_eq!(explain("all is well"), None);
    }

    #[test]
    fn last_words_lose_their_prefix() {
        let log = "I261120 10:00:00.123456 1 util/log/x.go:12  [n1] fine\n\nF261120 10:00:01.000000 77 store.go:3  [n1,s1] 12  the end\n";
        assert_eq!(last_words(log, 1), "the end");
        assert_eq!(last_words(log, 5), "fine | the end");
        assert_eq!(last_words("", 3), "");
    }
}

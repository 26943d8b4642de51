//! What the server's last log lines mean.
//!
//! The exit status alone says little: 1 is a port in use as well as a corrupted store. This table maps words of the log or
//! of standard error to a sentence that names the cause and the next step. Measured on KWDB built from the public source
//! (2026-07); sentences of other releases that match nothing are simply quoted.
//!
//! Only what ended the server counts ([`fatal_lines`]). A healthy server writes of clocks, disks and certificates, too.

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
        pattern: r"(?s)cannot load certificates.*open (\S+): permission denied",
        meaning: "the service user cannot read $1; make the service user its owner (chown)",
    },
    Signature {
        pattern: r"no certificates found in (\S+)",
        meaning: "$1 holds no certificate; create it with kwbase cert, or restore it",
    },
    Signature {
        pattern: r"failed to find any PEM data in (certificate|key) input",
        meaning: "the node's $1 file is empty or no PEM; create it with kwbase cert, or restore it",
    },
    Signature {
        pattern: r#"certificate has principals \["?([^\]"]*)"?\], expected "([^"]+)""#,
        meaning: "node.crt is for the user '$1' and must be for '$2'; make it with kwbase cert create-node",
    },
    Signature {
        pattern: r"private key does not match public key",
        meaning: "node.key does not belong to node.crt; restore the pair, or make both with kwbase cert create-node",
    },
    Signature {
        pattern: r"(?s)cannot load certificates.*?(\S+\.(?:crt|key)): (?:not found|no such file or directory)",
        meaning: "$1 is missing; copy the certificates from the other node, or make them with kwbase cert",
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
        pattern: r"detected forward time jump of|wall time \d+ is not allowed to be greater|clock synchronization error",
        meaning: "the clock of this node is wrong; synchronise it (chrony)",
    },
    Signature {
        pattern: r"(SIGSEGV|SIGABRT|SIGBUS)",
        meaning: "the server crashed ($1): damaged time-series data? see errlog.log in the store",
    },
    Signature {
        pattern: r"(?i)corrupt|checksum mismatch|malformed manifest|invalid chunk",
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

/// How a line of the log begins; the group is its severity: information, warning, error, fatal.
const PREFIX: &str = r"^([IWEF])\d{6} \d\d:\d\d:\d\d\.\d+ \d+ \S+\s+(?:\[[^\]]*\]\s*)?(?:\d+\s+)?";
/// How a last word begins that is not in the log's form, or was written into the log as it was.
const OPENINGS: &str =
    r"^(?:ERROR|Error|panic|fatal error|log: exiting because of error|Failed running|SIG[A-Z]+)\b";

/// The meaning of the first signature found in what ended the server, in the order of the table (specific before general). The patterns are compiled
/// here, on a failure path only: a healthy monitor does not pay for them. `log` is what
/// it logged, `said` what it wrote to its standard output and error.
pub fn explain(log: &str, said: &str) -> Option<String> {
    let text = format!("{}\n{}", fatal_lines(log, false), fatal_lines(said, true));
    SIGNATURES.iter().find_map(|signature| {
        let found = Regex::new(signature.pattern).ok()?.captures(&text)?;
        let mut meaning = String::new();
        found.expand(signature.meaning, &mut meaning);
        Some(meaning)
    })
}

/// The lines that tell why the server ended: those that are fatal, and what was never a line of the log. A line without a beginning of
/// its own belongs to the one before; what comes before all counts where `at_first` says so.
fn fatal_lines(text: &str, at_first: bool) -> String {
    let (Ok(prefix), Ok(opening)) = (Regex::new(PREFIX), Regex::new(OPENINGS)) else {
        return text.to_owned();
    };
    let mut counts = at_first;
    let lines = text.lines().filter(|line| {
        if let Some(found) = prefix.captures(line) {
            counts = &found[1] == "F";
        } else if opening.is_match(line) {
            counts = true;
        }
        counts
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The last lines of a log that say something, without their prefixes: what to quote when no signature matches.
pub fn last_words(text: &str, most: usize) -> String {
    let prefix = Regex::new(PREFIX).ok();
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

    /// What a healthy server writes at a start and while it runs, made from the facts measured on a real one: it warns, it speaks of
    /// clocks, disks, memory and certificates, and nothing of that has ended it.
    const HEALTHY: &str = "\
I260702 10:00:00.012345 1 util/log/log.go:100  [config] file created at: 2026/07/02 10:00:00
I260702 10:00:00.020000 1 server/config.go:500  [n?] system total memory: 23 GiB; limit of file descriptors: 1048576
W260702 10:00:00.030000 1 cli/start.go:900  neither --external-io-dir nor a default: no such file or directory
I260702 10:00:00.074000 1 server/server.go:1317  [n?] monitoring forward clock jumps based on server.clock.forward_jump_check_enabled
W260702 10:00:00.080000 33 util/hlc/hlc.go:318  [n?] backward time jump detected (-0.100000 seconds)
I260702 10:00:00.100000 1 storage/pebble.go:400  [n?] pebble: replayed WAL; no corruption, checksum mismatch count 0
I260702 10:00:00.595000 1 server/server.go:1700  [n1] certificates loaded; x509: certificate has expired is logged for clients
E260702 10:00:00.600000 55 server/status.go:80  [n1] could not read the time zone of a client: unknown time zone Mars/Olympus
  permission denied by the client, too many open files there
I260702 10:00:00.666000 1 server/server.go:2100  [n1] node startup completed: restarted pre-existing node
";
    /// The same, on standard output.
    const BANNER: &str = "\
KaiwuDB node starting at 2026-07-02 10:00:00.666 +0000 UTC (took 0.6s)
build:               KaiwuDB 3.2.1
sql:                 postgresql://root@10.1.2.3:26257?sslmode=disable
store[0]:            path=/var/lib/kaiwudb
status:              restarted pre-existing node
";

    #[test]
    fn a_healthy_server_has_no_cause() {
        assert_eq!(explain(HEALTHY, BANNER), None);
        // Killed from outside, however late: what it said before is no cause.
        let killed = &HEALTHY[..HEALTHY.len() / 2];
        assert_eq!(explain(killed, ""), None);
        assert_eq!(explain("all is well", "all is well"), None);
        // With --logtostderr.
        assert_eq!(explain("", HEALTHY), None);
    }

    /// Words that ended a real server, as measured, each where it wrote them: F, a fatal line of the log; E, standard error.
    #[test]
    fn each_cause_is_told_from_the_others() {
        for (place, words, meaning) in [
            (
                'E',
                "consider changing the port via --http-addr: listen tcp 0.0.0.0:8080: bind: address already in use",
                "another process listens on 0.0.0.0:8080; end it or change the port (--http-addr)",
            ),
            (
                'E',
                "could not lock temporary directory /data/kwbase-temp1, may still be in use: x/TEMP_DIR.LOCK: Resource temporarily unavailable",
                "another server uses this store (its lock in /data/kwbase-temp1 is held); end it first",
            ),
            (
                'E',
                "cluster start mode file does not exist",
                "kwbase.start_mode is missing: the store is incomplete or none; restore it from a backup",
            ),
            (
                'E',
                "check start mode failed! Node start mode is start-single-node, should be start",
                "the store was made with 'start' and cannot be started with 'start-single-node'; set start_mode=start",
            ),
            (
                'E',
                "cannot load certificates.\nCheck your certificate settings.\n\nkey file /c/node.key has permissions -rw-r-----, exceeds -rwx------",
                "/c/node.key may be read by others (-rw-r-----); run chmod 600 /c/node.key",
            ),
            (
                'E',
                "cannot load certificates.\nCheck your certificate settings.\n\nopen /etc/kaiwudb/certs: permission denied",
                "the service user cannot read /etc/kaiwudb/certs; make the service user its owner (chown)",
            ),
            (
                'E',
                "cannot load certificates.\nCheck.\n\nno certificates found in node.crt",
                "node.crt holds no certificate; create it with kwbase cert, or restore it",
            ),
            (
                'E',
                "cannot load certificates.\nCheck.\n\ntls: failed to find any PEM data in key input",
                "the node's key file is empty or no PEM; create it with kwbase cert, or restore it",
            ),
            (
                'E',
                "cannot load certificates.\nCheck.\n\nclient/server node certificate has principals [\"server\"], expected \"node\"",
                "node.crt is for the user 'server' and must be for 'node'; make it with kwbase cert create-node",
            ),
            (
                'E',
                "cannot load certificates.\nCheck.\n\ntls: private key does not match public key",
                "node.key does not belong to node.crt; restore the pair, or make both with kwbase cert create-node",
            ),
            (
                'E',
                "unknown flag: --tlcp",
                "the server does not know the flag --tlcp; check KAIWUDB_START_ARG, extra_args and secure_mode",
            ),
            (
                'E',
                "failed to create engines: write /d/000001.sst: no space left on device",
                "the disk is full (on both nodes, it is replicated); free space or enlarge it",
            ),
            (
                'F',
                "write /d/000003.log: no space left on device",
                "the disk is full (on both nodes, it is replicated); free space or enlarge it",
            ),
            (
                'F',
                "write x.log: read-only file system",
                "the file system is read-only, often after an I/O error; check kernel log and disk",
            ),
            (
                'L',
                "log: exiting because of error: cannot create log: open x: read-only file system",
                "the file system is read-only, often after an I/O error; check kernel log and disk",
            ),
            (
                'F',
                "disk stall detected: unable to sync log files within 30s",
                "the disk does not answer; check the kernel log, DRBD and the disk",
            ),
            (
                'E',
                "cannot verify empty engine for bootstrap: unable to read store ident",
                "the store is incomplete (CURRENT is missing); restore it from a backup",
            ),
            (
                'E',
                "open /var/lib/kaiwudb/LOCK: permission denied",
                "the service user may not write /var/lib/kaiwudb/LOCK; make the service user the owner of data_root",
            ),
            (
                'L',
                "kwbase: error while loading shared libraries: libkwdbts2.so: cannot open shared object file",
                "library libkwdbts2.so is missing; install kaiwudb-libcommon or run ldconfig",
            ),
            (
                'E',
                "unable to load named timezones",
                "the time zone database is missing; install tzdata",
            ),
            (
                'E',
                "hard open file descriptor limit of 1024 is under the minimum required 1956",
                "the limit of open files is too low; raise nofile",
            ),
            (
                'E',
                "failed to create engines: could not open the store: pebble: malformed manifest file MANIFEST-000001",
                "the store is damaged; restore it from a backup",
            ),
            (
                'F',
                "pebble: corruption detected while replaying the WAL 000003.log",
                "the store is damaged; restore it from a backup",
            ),
            (
                'F',
                "detected forward time jump of 3.200000 seconds is not allowed with tolerance of 0.250000 seconds",
                "the clock of this node is wrong; synchronise it (chrony)",
            ),
            (
                'L',
                "by signal 6 (SIGABRT)",
                "the server crashed (SIGABRT): damaged time-series data? see errlog.log in the store",
            ),
            ('L', "panic: boom", "the server panicked: boom"),
        ] {
            let (mut log, mut said) = (HEALTHY.to_owned(), BANNER.to_owned());
            match place {
                'F' => log = format!("{log}F260702 10:00:01.000000 77 x.go:3  [n1,s1] 12  {words}\n"),
                'E' => said = format!("{said}ERROR: {words}\nFailed running \"start-single-node\"\n"),
                _ => said = format!("{words}\n{said}"),
            }
            assert_eq!(explain(&log, &said).as_deref(), Some(meaning), "{words}");
        }
    }

    /// Since its start the server's standard error is its log file.
    #[test]
    fn standard_error_may_be_in_the_log() {
        let log = format!(
            "{HEALTHY}ERROR: failed to create engines: pebble: malformed manifest file MANIFEST-000001\n"
        );
        assert_eq!(
            explain(&log, BANNER).as_deref(),
            Some("the store is damaged; restore it from a backup")
        );
        let log =
            format!("{HEALTHY}F260702 10:00:01.000000 7 x.go:3  startup forbidden:\n\ndisk corrupted\n");
        assert!(
            explain(&log, "").is_some(),
            "a fatal entry may have several lines"
        );
    }

    #[test]
    fn last_words_lose_their_prefix() {
        let log = "I261120 10:00:00.123456 1 util/log/x.go:12  [n1] fine\n\nF261120 10:00:01.000000 77 store.go:3  [n1,s1] 12  the end\n";
        assert_eq!(last_words(log, 1), "the end");
        assert_eq!(last_words(log, 5), "fine | the end");
        assert_eq!(last_words("", 3), "");
    }
}

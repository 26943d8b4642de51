//! A command as it stands somewhere.

/// Words that begin a command wherever they stand with something behind them. None of them begins an English sentence.
pub(super) const PROGRAMS: [&str; 56] = [
    "/usr/lib/drbd/crm-unfence-peer.9.sh",
    "./deploy.sh",
    "apt",
    "apt-get",
    "cat",
    "cd",
    "chmod",
    "chown",
    "chronyc",
    "cibadmin",
    "corosync-cfgtool",
    "corosync-keygen",
    "crm",
    "crm_attribute",
    "crm_mon",
    "crm_node",
    "crm_report",
    "crm_resource",
    "crm_simulate",
    "crm_standby",
    "crm_verify",
    "dd",
    "docker",
    "dpkg-reconfigure",
    "drbdadm",
    "drbdmeta",
    "drbdsetup",
    "du",
    "fence_ipmilan",
    "findmnt",
    "grep",
    "gzip",
    "hostnamectl",
    "journalctl",
    "kaiwudb-ha",
    "kwbase",
    "man",
    "mkfs",
    "modinfo",
    "multipathd",
    "mv",
    "ocf-tester",
    "openssl",
    "pcs",
    "scp",
    "sed",
    "ssh",
    "stonith_admin",
    "systemctl",
    "udevadm",
    "umount",
    "uname",
    "vi",
    "wipefs",
    "xfs_repair",
    "yum",
];

/// Where it stands, and what it says.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) place: String,
    pub(super) text: String,
}

impl Line {
    /// Program and arguments, without comment and redirections; an error when a shell could not read it.
    pub(super) fn words(&self) -> Result<Vec<String>, String> {
        let words = shell_words::split(without_comment(&self.text)).map_err(|error| error.to_string())?;
        let mut kept = Vec::new();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "<" | ">" | ">>" => drop(words.next()),
                _ if word.starts_with('>') || word.starts_with("2>") => {}
                _ => kept.push(word),
            }
        }
        Ok(kept)
    }
}

/// What stands before a comment.
fn without_comment(text: &str) -> &str {
    unquoted(text)
        .find(|(at, _)| text[*at..].starts_with(" #"))
        .map_or(text, |(at, _)| &text[..at])
}

/// The characters outside of quotes, and where they stand.
fn unquoted(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    text.char_indices().filter(move |(_, character)| match quote {
        Some(end) => {
            if *character == end {
                quote = None;
            }
            false
        }
        None if matches!(character, '\'' | '"') => {
            quote = Some(*character);
            false
        }
        None => true,
    })
}

/// The simple commands of a shell's line.
pub(super) fn simple_commands(text: &str) -> Vec<String> {
    let text = without_comment(text);
    let mut commands = Vec::new();
    let mut begin = 0;
    let cuts: Vec<(usize, usize)> = unquoted(text)
        .filter_map(|(at, character)| match character {
            ';' | '；' => Some((at, character.len_utf8())),
            // Without blanks it stands between alternatives.
            '|' if text[..at].ends_with(' ') => Some((at, 1)),
            '&' if text[at..].starts_with("&&") => Some((at, 2)),
            _ => None,
        })
        .collect();
    for (at, length) in cuts {
        if at >= begin {
            commands.push(text[begin..at].trim().to_owned());
            begin = at + length;
        }
    }
    commands.push(text[begin..].trim().to_owned());
    commands.retain(|command| !command.is_empty());
    commands
}

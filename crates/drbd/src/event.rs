//! One line of `drbdsetup events2` (drbdsetup(8)): a verb, an object, and `key:value` pairs.
//!
//! A line may begin with a timestamp (`--timestamps`) or, from the first 8.4 tools, with a number: whatever stands before the
//! verb is passed over.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Part of the state at the beginning.
    Exists,
    /// The object is new.
    Create,
    /// The object changed; only what changed is said.
    Change,
    /// The object is gone.
    Destroy,
    /// The kernel calls a helper program.
    Call,
    /// A helper program has returned.
    Response,
    /// The resource has a new name.
    Rename,
}

/// What it happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// The resource.
    Resource,
    /// The link to a peer.
    Connection,
    /// A volume here.
    Device,
    /// A volume on a peer.
    PeerDevice,
    /// A network path of a connection.
    Path,
    /// A helper program.
    Helper,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// What happened.
    pub verb: Verb,
    /// What it happened to.
    pub object: Object,
    keys: Vec<(&'a str, &'a str)>,
}

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Something is or happened.
    Event(Event<'a>),
    /// The state at the beginning is complete.
    InitialStateDone,
}

fn verb(word: &str) -> Option<Verb> {
    Some(match word {
        "exists" => Verb::Exists,
        "create" => Verb::Create,
        "change" => Verb::Change,
        "destroy" => Verb::Destroy,
        "call" => Verb::Call,
        "response" => Verb::Response,
        "rename" => Verb::Rename,
        _ => return None,
    })
}

fn object(word: &str) -> Option<Object> {
    Some(match word {
        "resource" => Object::Resource,
        "connection" => Object::Connection,
        "device" => Object::Device,
        "peer-device" => Object::PeerDevice,
        "path" => Object::Path,
        "helper" => Object::Helper,
        _ => return None,
    })
}

/// Reads a line; `None` for one that says nothing we know, which is to be passed over.
pub fn parse(line: &str) -> Option<Line<'_>> {
    let mut words = line.split_ascii_whitespace();
    // At most one word stands before the verb.
    let verb = verb(words.next()?).or_else(|| verb(words.next()?))?;
    let word = words.next()?;
    if word == "-" {
        return (verb == Verb::Exists).then_some(Line::InitialStateDone);
    }
    Some(Line::Event(Event {
        verb,
        object: object(word)?,
        // A value may hold colons (addresses), a key never does.
        keys: words.filter_map(|pair| pair.split_once(':')).collect(),
    }))
}

impl<'a> Event<'a> {
    /// The value of a key; the last one where it stands twice.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.keys
            .iter()
            .rev()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| *value)
    }

    /// The value of a key as a number.
    pub fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.get(key)?.parse().ok()
    }

    /// Name of the resource.
    pub fn resource(&self) -> Option<&'a str> {
        self.get("name")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_of_each_form() {
        let Some(Line::Event(event)) =
            parse("change path name:r0 peer-node-id:2 conn-name:b local:ipv4:10.0.0.1:7293 established:no")
        else {
            panic!("not read");
        };
        assert_eq!((event.verb, event.object), (Verb::Change, Object::Path));
        assert_eq!(event.get("local"), Some("ipv4:10.0.0.1:7293"));
        assert_eq!(event.number::<u32>("peer-node-id"), Some(2));
        assert_eq!(event.get("nothing"), None);
        assert_eq!(parse("exists -"), Some(Line::InitialStateDone));
        assert_eq!(
            parse("2026-11-21T08:28:17.072611-07:00 exists -"),
            Some(Line::InitialStateDone)
        );
        assert_eq!(parse("17 exists -"), Some(Line::InitialStateDone));
        for silent in [
            "",
            "exists",
            "destroy -",
            "exists moon name:r0",
            "# No currently configured DRBD found.",
        ] {
            assert_eq!(parse(silent), None, "{silent:?}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line in ".*") {
            let _ = parse(&line);
        }
    }
}

//! What cannot be decided about which resource is the database's, in words.

use crate::context::Context;
use crate::roles::Doubt;
use crate::texts::roles as texts;

/// The sentence.
pub fn sentence(context: &Context, doubt: &Doubt) -> String {
    let file = context.config.display().to_string();
    let list = |names: &[String]| match names {
        [] => "-".to_owned(),
        some => some.join(", "),
    };
    let (text, names) = match doubt {
        Doubt::Databases(names) => (texts::DATABASES, list(names)),
        Doubt::NoSuchDatabase { known, .. } => (texts::NO_SUCH_DATABASE, list(known)),
        Doubt::FileSystems(names) => (texts::FILE_SYSTEMS, list(names)),
        Doubt::Replication(names) => (texts::REPLICATION, list(names)),
        Doubt::Addresses(names) => (texts::ADDRESSES, list(names)),
        Doubt::AddressTaken { resource, .. } => (texts::ADDRESS_TAKEN, resource.clone()),
    };
    let (mut named, mut address) = ("", "");
    match doubt {
        Doubt::NoSuchDatabase { named: name, .. } => named = name,
        Doubt::AddressTaken { address: taken, .. } => address = taken,
        _ => {}
    }
    text.fill(
        context.language,
        &[
            ("names", &names),
            ("file", &file),
            ("named", named),
            ("address", address),
        ],
    )
}

//! Who besides root can change something.

use crate::language::Language;
use crate::texts::settings as texts;
use host::untrusted::Writers;

/// In words; `None`: nobody.
pub(super) fn others(writers: Writers, language: Language) -> Option<String> {
    match writers {
        Writers::Root => None,
        Writers::Account(uid) => Some(format!("uid {uid}")),
        Writers::Several => Some(texts::SEVERAL.of(language).to_owned()),
    }
}

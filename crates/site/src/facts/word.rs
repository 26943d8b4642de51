//! A word of a list, as facts travel from node to node: nothing is an empty word, and so is what another release means by a word that this
//! one does not know.

use ocf::Choice;
use serde::{Deserialize, Deserializer, Serializer};

#[allow(clippy::ref_option)] // serde hands over a reference to the field
pub(super) fn serialize<T: Choice + PartialEq, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.map_or("", T::word))
}

pub(super) fn deserialize<'de, T: Choice, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    String::deserialize(deserializer).map(|word| T::of_word(&word))
}

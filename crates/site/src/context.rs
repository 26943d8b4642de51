//! What an operator has said: in which language, in which settings, about which database.

use crate::language::Language;
use crate::settings::Settings;
use std::path::PathBuf;

/// What everybody who asks about the site has at hand.
#[derive(Debug)]
pub struct Context {
    /// Language of the sentences.
    pub language: Language,
    /// The settings.
    pub settings: Settings,
    /// Where the settings are, for sentences and for processes of our own.
    pub config: PathBuf,
    /// The database that is meant, by its resource's id.
    pub resource: Option<String>,
}

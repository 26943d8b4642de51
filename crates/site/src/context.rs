//! What an operator has said: in which language, in which settings, about which database.

use crate::language::Language;
use crate::roles::Doubt;
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
    /// What else has been chosen.
    pub chosen: Chosen,
    /// Whether somebody is there to be asked what is not clear.
    pub can_ask: bool,
}

/// Which resources belong to the database, where several may and the operator has been asked.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// The file system's resource id.
    pub file_system: Option<String>,
    /// DRBD's name of the resource below it.
    pub drbd: Option<String>,
    /// The virtual IP's resource id.
    pub address: Option<String>,
}

impl Context {
    /// Takes what the operator has chosen of a doubt's [`Doubt::choices`].
    pub fn choose(&mut self, doubt: &Doubt, choice: String) {
        match doubt {
            Doubt::Databases(_) => self.resource = Some(choice),
            Doubt::FileSystems(_) => self.chosen.file_system = Some(choice),
            Doubt::Replication(_) => self.chosen.drbd = Some(choice),
            Doubt::Addresses(_) => self.chosen.address = Some(choice),
            Doubt::NoSuchDatabase { .. } | Doubt::AddressTaken { .. } => {}
        }
    }
}

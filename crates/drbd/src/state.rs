//! The words of DRBD's states (drbd.h of DRBD 8.4 and 9). A word that is not known is kept, in serialized form too.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

macro_rules! states {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $word:ident),+ $(,)? } $($alias:literal => $same:ident),*) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$meaning])* $word,)+
            /// A word that this release does not know.
            Other(String),
        }

        impl $name {
            /// Every known state.
            pub const KNOWN: &'static [Self] = &[$(Self::$word),+];

            /// The state of that word.
            pub fn parse(word: &str) -> Self {
                match word {
                    $(stringify!($word) => Self::$word,)+
                    $($alias => Self::$same,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$word => stringify!($word),)+
                    Self::Other(word) => word,
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|word| Self::parse(&word))
            }
        }
    };
}

states! {
    /// What a node may do with a resource.
    Role {
        /// May write.
        Primary,
        /// May not write.
        Secondary,
        /// Not known: not connected.
        Unknown,
    }
}

states! {
    /// How good the data on a disk is.
    Disk {
        /// There is no disk: detached, or a client without one.
        Diskless,
        /// Its meta data is being read.
        Attaching,
        /// It is being detached.
        Detaching,
        /// It reported an I/O error; Diskless follows.
        Failed,
        /// Attached while connected; the peer is being asked.
        Negotiating,
        /// Half old, half new: a resync is needed.
        Inconsistent,
        /// Consistent, but known to be older than the peer's.
        Outdated,
        /// Not known: not connected.
        DUnknown,
        /// Consistent; whether the peer's is newer is not known.
        Consistent,
        /// As new as any.
        UpToDate,
    }
}

states! {
    /// The link to one peer. DRBD 8.4's words for the same thing are read as 9's.
    ConnectionState {
        /// Not connected and not trying: disconnected by hand, refused by the peer, or split brain.
        StandAlone,
        /// About to be [`ConnectionState::StandAlone`].
        Disconnecting,
        /// About to try.
        Unconnected,
        /// The peer did not answer in time.
        Timeout,
        /// The peer went away.
        BrokenPipe,
        /// The network failed.
        NetworkFailure,
        /// The peer sent something wrong.
        ProtocolError,
        /// The peer is closing the link.
        TearDown,
        /// Trying to reach the peer.
        Connecting,
        /// Connected.
        Connected,
    }
    "WFConnection" => Connecting, "WFReportParams" => Connected
}

states! {
    /// What happens between a volume and the same volume on a peer.
    Replication {
        /// Nothing: not connected.
        Off,
        /// Every write is mirrored.
        Established,
        /// A full resync towards the peer begins.
        StartingSyncS,
        /// A full resync from the peer begins.
        StartingSyncT,
        /// The bitmap is sent.
        WFBitMapS,
        /// The bitmap is awaited.
        WFBitMapT,
        /// The peer's generation is awaited.
        WFSyncUUID,
        /// The peer catches up from us.
        SyncSource,
        /// We catch up from the peer.
        SyncTarget,
        /// We compare all blocks with the peer's.
        VerifyS,
        /// The peer compares all blocks with ours.
        VerifyT,
        /// As [`Replication::SyncSource`], but waiting.
        PausedSyncS,
        /// As [`Replication::SyncTarget`], but waiting.
        PausedSyncT,
        /// The link is too slow; writes are only marked.
        Ahead,
        /// The peer is [`Replication::Ahead`].
        Behind,
    }
}

impl Replication {
    /// Whether a resync runs or waits, in either direction.
    pub const fn is_resync(&self) -> bool {
        matches!(
            self,
            Self::StartingSyncS
                | Self::StartingSyncT
                | Self::WFBitMapS
                | Self::WFBitMapT
                | Self::WFSyncUUID
                | Self::SyncSource
                | Self::SyncTarget
                | Self::PausedSyncS
                | Self::PausedSyncT
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_and_unknown_ones_are_kept() {
        for state in Disk::KNOWN {
            assert_eq!(&Disk::parse(&state.to_string()), state);
        }
        for state in Replication::KNOWN {
            assert_eq!(&Replication::parse(&state.to_string()), state);
        }
        assert_eq!(Disk::KNOWN.len(), 10);
        assert_eq!(
            ConnectionState::parse("WFConnection"),
            ConnectionState::Connecting
        );
        assert_eq!(Disk::parse("Dreaming").to_string(), "Dreaming");
    }
}

//! The certificates of a KWDB (KaiwuDB) server as one thing that is judged, sealed, compared and installed whole.
//!
//! - [`CertificateSet`]: the files that belong together, and their digest;
//! - [`directory`]: reads a certificate directory, reports what else is in it, fixes owners and modes;
//! - [`judge()`]: chain, keys, names, dates;
//! - [`bundle`]: the sealed form for the replicated volume; [`seal`]: the key, derived from the cluster's authkey;
//! - [`decide()`]: who has the newest valid set, as a pure function;
//! - [`install()`]: replaces a directory as a whole, safe against a power cut at every step.
//!
//! Nothing here knows Pacemaker or decides about a resource. Calls that touch the replicated volume ([`volume`]) may block
//! in the kernel: run them in `host::bounded`.

pub mod authority;
pub mod bundle;
mod decide;
mod describe;
mod digest;
pub mod directory;
mod disk;
mod install;
mod judge;
mod key;
mod name;
mod record;
pub mod seal;
mod set;
pub mod volume;

pub use decide::{Base, Bundle, Concern, Decision, Keep, Moment, Side, Step, Stored, decide};
pub use describe::describe;
pub use digest::Digest;
pub use directory::Owner;
pub use disk::{Disk, Operation};
pub use install::{Installation, Method, displaced, install, recover};
pub use judge::{Expectations, Finding, Grade, Severity, Validity, Verdict, judge};
pub use name::{Kind, kind};
pub use record::Record;
pub use set::{CertificateSet, MemberFile};

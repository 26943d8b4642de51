//! What others than root can change, touched by root so that they gain nothing by it.
//!
//! The server's account owns its store, its certificates and, as the vendor installs it, `/etc/kaiwudb` and the program itself. Whatever
//! lies there is opened here and nowhere else:
//! - a path is walked one component at a time, each by the descriptor of the one before it. A symbolic link is followed only where
//!   root alone could have made it;
//! - what is opened is a regular file, so nothing waits for a pipe's other end and no device is touched, and only so much is read; no file system
//!   is entered that an account serves itself;
//! - a file is read for somebody only if whoever can put files there may read it himself: no secret of root's is quoted for him;
//! - what is changed is changed by the descriptor of its directory ([`Directory`]), never by a path for the second time.
//!
//! A path also tells who can change what it leads to ([`Writers`]): a file's word counts for no more than its writers do.
//!
//! openat2(2) with `RESOLVE_NO_SYMLINKS` would do a part of this on Linux 5.6 and later; the walk does all of it everywhere.

mod directory;
mod path;
mod served;

pub use directory::{Directory, Found, Kind};
pub use path::{Text, Writers, read, read_tail, writers};

#[cfg(test)]
mod tests;

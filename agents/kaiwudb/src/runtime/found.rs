//! What a look at the installation leaves for the start.

/// How the unit or the container was found when the installation was checked; the start does not ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It has to be made first.
    Missing,
    /// What starts the server would also restart it.
    Restarts,
    /// Nothing is left to do.
    Ready,
}

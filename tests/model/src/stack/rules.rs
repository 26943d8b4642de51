//! How a site is set up; and the defects of such set-ups.

use drbd::policy::Scores;

/// DRBD's `fencing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fencing {
    /// `dont-care`, which is what DRBD does when nothing is said.
    DontCare,
    /// `resource-only`: the handler is called, and meanwhile rows are written.
    ResourceOnly,
    /// `resource-and-stonith`: everything waits for the handler.
    ResourceAndStonith,
}

/// When the fencing constraint is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lift {
    /// When all data are good everywhere.
    WhenInStep,
    /// As soon as the peer is connected, though it is still being copied to.
    WhenConnected,
    /// Never: there is no handler for it.
    Never,
}

/// How a site is set up.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a setting of its own
pub struct Rules {
    /// `stonith-enabled`.
    pub stonith: bool,
    /// A node acts only once it has seen the other (corosync's `wait_for_all`, which `no-quorum-policy=ignore` makes useless).
    pub wait_for_all: bool,
    /// `priority-fencing-delay`: whoever serves shoots first.
    pub delay: bool,
    /// DRBD's `fencing`.
    pub fencing: Fencing,
    /// Whether the fence-peer handler answers after the cluster, or that all is well, whatever is.
    pub handler: bool,
    /// Whether `after-sb-1pri` and `after-sb-0pri` discard one side.
    pub discards: bool,
    /// When the constraint is taken back.
    pub lift: Lift,
    /// `adjust_master_score`.
    pub scores: Scores,
    /// Whether the agent's own refusal to promote stale data is there.
    pub refuses: bool,
    /// Whether the script that our handler leaves unclear cases to goes on in the end with a peer of which nothing is known, as it does when
    /// fencing takes longer than the script waits.
    pub script_gives_up: bool,
    /// Whether somebody confirms that a node is off that is not (`pcs stonith confirm`).
    pub confirms_blindly: bool,
    /// Whether somebody removes the fencing constraint, because it is in the way.
    pub removes_constraint: bool,
}

impl Rules {
    /// What `kaiwudb-ha plan` makes.
    pub const SOUND: Self = Self {
        stonith: true,
        wait_for_all: true,
        delay: true,
        fencing: Fencing::ResourceAndStonith,
        handler: true,
        discards: false,
        lift: Lift::WhenInStep,
        scores: Scores {
            only_consistent: 0,
            only_remote: 10,
            local_ok: 1000,
            as_good_as_it_gets: 10_000,
        },
        refuses: true,
        script_gives_up: false,
        confirms_blindly: false,
        removes_constraint: false,
    };
}

//! What can happen, in words.

use super::production::NAMES;
use super::state::Id;
use std::fmt;

macro_rules! steps {
    ($($(#[$about:meta])* $kind:ident $name:ident $(($node:ident))? $words:literal),+ $(,)?) => {
        /// What can happen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Step { $($(#[$about])* $name $((steps!(@ $node)))?,)+ }

        impl Step {
            /// The same of the other node.
            pub(super) fn mirrored(self) -> Self {
                match self { $(Self::$name $(($node))? => Self::$name $((1 - $node))?,)+ }
            }

            fn kind(self) -> Kind {
                match self { $(Self::$name $((steps!(_ $node)))? => Kind::$kind,)+ }
            }
        }

        impl fmt::Display for Step {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $(Self::$name $(($node))? => {
                        $(let $node = (NAMES[$node], NAMES[1 - $node]);)?
                        let text = $words;
                        $(let text = text.replace("{this}", $node.0).replace("{other}", $node.1);)?
                        f.write_str(&text)
                    })+
                }
            }
        }
    };
    (@ $node:ident) => { Id };
    (_ $node:ident) => { _ };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fault,
    Mistake,
    Itself,
    Told,
}

steps! {
    /// The power is cut, or the kernel panics.
    Fault PowerCut(node) "{this} loses its power",
    /// The kernel hangs, or the virtual machine is paused.
    Fault Freeze(node) "{this} freezes: it does nothing, and may come to life again as it was",
    /// The cluster's network is cut.
    Fault CutRing "the cluster's network is cut",
    /// The replication link is cut.
    Fault CutLink "the replication link is cut",
    /// A disk breaks.
    Fault LoseDisk(node) "the disk of {this} breaks",
    /// The database cannot start.
    Fault FailStart(node) "the database fails on {this} and cannot start there; Pacemaker bans it",
    /// The fence device does not answer.
    Fault LoseFence "the fence device does not answer",
    /// `drbdadm primary --force` where nothing told so.
    Mistake Force(node) "somebody enters drbdadm primary --force on {this}",
    /// Standby, in whatever order.
    Mistake Standby(node) "somebody puts {this} into standby",
    /// `pcs stonith confirm` of a node that lives.
    Mistake Confirm(node) "somebody confirms on {this} that {other} is off, without looking",
    /// The constraint is removed by hand.
    Mistake RemoveConstraint(node) "somebody removes on {this} the constraint drbd-fence-by-handler",
    /// Power returns.
    Itself Boot(node) "{this} boots",
    /// A frozen node lives again.
    Itself Thaw(node) "{this} comes to life again, as it was",
    /// Both see each other.
    Itself Join "the cluster's nodes see each other and join",
    /// A node switches the other off.
    Itself Fence(node) "{this} switches {other} off and knows that it is",
    /// A node declares the other dead without having switched it off.
    Itself Assume(node) "{this} takes it that {other} is dead, because nothing can switch it off",
    /// DRBD comes up.
    Itself StartDisk(node) "Pacemaker brings DRBD up on {this}",
    /// DRBD goes down.
    Itself StopDisk(node) "Pacemaker takes DRBD down on {this}",
    /// The DRBDs connect.
    Itself Connect "the two DRBDs meet and compare their generations",
    /// The copy is finished.
    Itself Sync "the resync is complete",
    /// The handler answers.
    Itself Handler(node) "the fence-peer handler on {this} has excluded {other}; writes continue",
    /// The script gives up.
    Itself ScriptGivesUp(node) "the fence-peer script on {this} has waited long enough and excludes {other}, of which nothing is known; writes continue",
    /// Promotion.
    Itself Promote(node) "Pacemaker promotes {this}",
    /// Demotion.
    Itself Demote(node) "Pacemaker demotes {this}",
    /// The database starts.
    Itself Serve(node) "the database starts on {this}",
    /// The database stops.
    Itself Stop(node) "the database stops on {this}",
    /// A stop cannot end.
    Itself FenceStuck(node) "the database on {this} cannot stop while its writes wait; {other} switches it off",
    /// DRBD cannot be taken down.
    Itself FenceNeeded(node) "DRBD cannot be taken down on {this}, whose data {other} reads; {other} switches it off",
    /// The constraint is lifted.
    Itself Lift(node) "{this} takes the fencing constraint back",
    /// A row.
    Itself Write(node) "a client writes a row on {this}, which is acknowledged",
    /// The node is given up.
    Itself GiveUp(node) "the watcher on {this} reports its lost disk; Pacemaker stops the database there",
    /// The network is repaired.
    Told RepairRing "the cluster's network is repaired",
    /// The link is repaired.
    Told RepairLink "the replication link is repaired",
    /// The fence device is repaired.
    Told RepairFence "the fence device is repaired",
    /// A frozen machine is switched off.
    Told SwitchOff(node) "somebody switches the frozen {this} off",
    /// The machine was seen to be off.
    Told ConfirmOff(node) "somebody has seen that {other} is off and confirms it on {this}",
    /// Without the other.
    Told GoOnAlone(node) "{other} is off and stays so: somebody lets {this} continue alone",
    /// The disk is replaced.
    Told ReplaceDisk(node) "somebody replaces the disk of {this}",
    /// Standby ends.
    Told Unstandby(node) "somebody ends the standby of {this}",
    /// The failure is cleaned up.
    Told Cleanup(node) "somebody repairs the database on {this} and cleans up the failure",
    /// The split brain is resolved.
    Told Discard(node) "somebody compares both sides of the split brain and discards the data of {this}",
    /// A link that was given up.
    Told Reconnect(node) "somebody lets {this} connect again (drbdadm disconnect, connect)",
    /// The last copy is taken.
    Told ForceLast(node) "no better copy exists: somebody lets {this} continue with what it has",
}

impl Step {
    /// Whether it happens by itself or because the manual tells so.
    pub fn is_way_out(self) -> bool {
        matches!(self.kind(), Kind::Itself | Kind::Told)
    }

    /// Whether what it destroys was meant, or was the fault itself.
    pub fn destroys_by_intent(self) -> bool {
        matches!(
            self,
            Self::LoseDisk(_) | Self::ReplaceDisk(_) | Self::Discard(_) | Self::Reconnect(_)
        )
    }
}

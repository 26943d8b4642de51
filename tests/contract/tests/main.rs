//! What OCF, Pacemaker and an operator may rely on, shown on the built programs.

mod interface;

//! How long the database did not serve, as looks at the cluster have seen it. What passes before the cluster notices a fault is not in it.

use super::condition::Observation;
use super::ledger::Ledger;
use super::model::{Absence, Incident, Kind, Outage};

/// So long after a look, in milliseconds, nobody can say whether the database served meanwhile: the timer looks every minute.
const UNSEEN: i64 = 150_000;
/// How often the time of a look is worth a write, in milliseconds.
const WORTH_A_WRITE: i64 = 30_000;

/// By when the database that was on a lost node is seen to be gone, in milliseconds.
const TOGETHER: i64 = 30_000;

impl Ledger {
    /// Takes down whether the database serves, after the incidents of this look have been taken in.
    pub(super) fn follow_service(&mut self, seen: &Observation, now: i64) {
        // A partition that may not act does not know where the database is.
        let Some(database) = seen
            .database
            .as_ref()
            .filter(|_| seen.quorum && seen.controller.is_some())
        else {
            return;
        };
        let known = self
            .absence
            .filter(|absence| (0..UNSEEN).contains(&(now - absence.seen)));
        if database.node.is_some() {
            if let Some(absence) = known {
                self.outage = Some(Outage {
                    began: absence.began,
                    lasted: now - absence.began,
                    cause: self
                        .open
                        .iter()
                        .filter(|one| one.takes_the_service(absence.began))
                        .map(|one| one.kind)
                        .min(),
                });
            }
            self.absence = None;
        } else if !database.wanted {
            self.absence = None;
        } else {
            let absence = known.unwrap_or(Absence {
                began: now,
                seen: now,
            });
            let is_old = now - absence.seen >= WORTH_A_WRITE;
            self.absence = Some(Absence {
                seen: if is_old { now } else { absence.seen },
                ..absence
            });
        }
    }
}

impl Incident {
    /// Whether the database has not served since `began` because of it. The loss of the other node is no reason, nor one of long ago.
    fn takes_the_service(&self, began: i64) -> bool {
        match self.kind {
            Kind::NodeLost => self.served_by.as_ref() == Some(&self.subject) && began - self.began < TOGETHER,
            Kind::NoQuorum | Kind::Failure | Kind::NotServing => true,
            Kind::SplitBrain | Kind::Replication | Kind::Concern | Kind::NotReady => false,
        }
    }
}

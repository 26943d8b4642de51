//! A planned standby, with the address stopped before, beside and after the server: what each order costs which clients.

use crate::outage::{Seen, cell, one, text};
use anyhow::{Context, Result};
use lab::cib::{Cib, Constraint, ocf};
use lab::{Client, ClientOptions, Event, Heard, Installation, Kind, Lab, Options};
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

/// Who is there, in rounds of their own: those who wait for an answer make a drain longer for the others.
const ROUNDS: [&[Kind]; 2] = [&[Kind::Patient], &[Kind::Waiting, Kind::PoolInTransaction]];

/// Name of an order, and what stops before what.
const ORDERS: [(&str, Option<[&str; 2]>); 3] = [
    ("before the server", Some(["ClusterIP", "KaiwuDB"])),
    ("beside it", None),
    ("after it", Some(["KaiwuDB", "ClusterIP"])),
];

/// Prints the table.
pub(crate) fn measure(runs: usize, hung: Duration, tls: bool) -> Result<()> {
    let installation = Installation {
        tls,
        ..Installation::from_environment()?
    };
    let lab = Lab::up(&Options::from_environment()?)?;
    lab::install(&lab, &lab::package_from_environment()?, &installation)?;
    lab::activate(&lab, &ocf())?;
    let client = Client::start(&lab, &ClientOptions::default())?;
    let mut table = format!(
        "\nPlanned standby, {runs} runs, median (all): longest time without an acknowledged commit; for those that wait for an answer \
         or have a transaction open, which were there in runs of their own, the worst of all runs.\n\n\
         | address stops | agent | impatient | patient | impatient, with those that wait | waiting | in transaction |\n\
         |---|---|---|---|---|---|---|\n"
    );
    for (agent, base) in [("IPaddr2", ocf().with_guides_address()), ("virtual-ip", ocf())] {
        for (name, order) in ORDERS {
            let cib = in_order(base.clone(), order);
            lab.cluster().reload(&cib)?;
            Event::repair(&lab)?;
            let [alone, others] = ROUNDS.map(|kinds| {
                (0..runs)
                    .map(|_| {
                        let seen = one(&lab, &client, Event::Standby, kinds, hung)?
                            .context("a standby is noticed")?;
                        eprintln!("{agent}, {name}: {}", text(Some(&seen)));
                        Ok(seen)
                    })
                    .collect::<Result<Vec<Seen>>>()
            });
            let (alone, others) = (alone?, others?);
            let impatient =
                |all: &[Seen]| cell(&all.iter().map(|seen| Some(seen.outage)).collect::<Vec<_>>());
            let patient: Vec<Option<Duration>> = alone
                .iter()
                .map(|seen| of(seen, Kind::Patient).filter(|heard| heard.hung == 0))
                .map(|heard| heard.map(|heard| heard.longest))
                .collect();
            let _ = writeln!(
                table,
                "| {name} | {agent} | {} | {} | {} | {} | {} |",
                impatient(&alone),
                cell(&patient),
                impatient(&others),
                worst(&others, Kind::Waiting),
                worst(&others, Kind::PoolInTransaction)
            );
        }
    }
    std::io::stdout()
        .write_all(table.as_bytes())
        .context("cannot print")
}

fn in_order(cib: Cib, order: Option<[&str; 2]>) -> Cib {
    match order {
        None => cib,
        Some([first, then]) => cib.constrain(Constraint::StopOrder {
            first: first.to_owned(),
            then: then.to_owned(),
        }),
    }
}

fn of(seen: &Seen, kind: Kind) -> Option<Heard> {
    seen.heard.iter().copied().find(|heard| heard.kind == kind)
}

fn worst(all: &[Seen], kind: Kind) -> String {
    let heard = all.iter().filter_map(|seen| of(seen, kind));
    let worst = heard.max_by_key(|heard| (heard.hung, heard.longest));
    worst.map_or_else(|| "–".to_owned(), |heard| heard.to_string())
}

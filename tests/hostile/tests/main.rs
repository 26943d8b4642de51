//! What an account without rights can make root's agents do: nothing that it could not do itself, and nothing that keeps the honest
//! service from its work. Every attack was seen to succeed, on these agents or on others of their kind.
#![allow(clippy::unwrap_used)]

mod account;
mod certificates;
mod hardening;
mod neighbour;
mod operator;
mod places;
mod reading;
mod support;
mod tricks;

use std::process::ExitCode;

fn main() -> ExitCode {
    testing::run(
        &[
            account::TESTS,
            certificates::TESTS,
            hardening::TESTS,
            neighbour::TESTS,
            operator::TESTS,
            places::TESTS,
            reading::TESTS,
            support::TESTS,
            tricks::TESTS,
        ],
        testing::without_root(),
    )
}

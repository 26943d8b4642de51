//! Reads the sources and tells which file of a package names which other one: in `use`, in paths, in macros; tests aside.
//!
//! A path is followed to the file in which its item is written: what a module hands on by `use` is no arrow to that module. Where a module
//! is declared is none either.
#![allow(clippy::expect_used)] // a test's helper: what is wrong with the sources ends it

pub mod arrows;
pub mod packages;
pub mod paths;
pub mod shape;

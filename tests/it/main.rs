//! One test binary: each test is a claim about the whole pipeline.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test that panics has failed, as it should; nothing is public here"
)]

mod access;
mod authorization;
mod bench;
mod faults;
mod hooks;
mod ledger;
mod plan;
mod profiles;
mod secrets;
mod store;
mod sync;

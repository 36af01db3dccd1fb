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
mod boards;
mod branches;
mod cost;
#[path = "../benches/crew/mod.rs"]
mod crew;
mod dead;
mod faults;
mod files;
mod hooks;
mod ledger;
mod plan;
mod profiles;
mod receive;
mod release;
mod reports;
mod scale;
mod secrets;
mod signature;
mod silence;
mod stages;
mod store;
mod sync;
mod turns;
mod webhook;

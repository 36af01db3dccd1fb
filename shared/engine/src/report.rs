//! Computes reports from what was copied: how long items stay in stages, and how long pull requests take. Pure but for
//! the loaders, which read rows. Never asks GitHub, never writes. The formulas are in REPORTS.md.

mod ask;
mod bounds;
mod cards;
mod catalogue;
mod changes;
mod cycle;
mod hotspots;
mod hours;
mod labels;
mod options;
mod parts;
mod people;
mod pulls;
mod question;
mod range;
mod rework;
mod sheet;
mod stages;
mod statistics;

pub use ask::{AskError, Asked, pairs};
pub use cards::{Card, ItemKind, Stay, from_boards};
pub use catalogue::{Answer, Entry, REPORTS, Report, entry, report};
pub use changes::{Change, from_commit_files};
pub use cycle::{Bounds, CycleGroup, CycleReport, CycleStage, Grade, OpenPull, Step, cycle};
pub use hotspots::{By, hotspots};
pub use hours::{BusinessHours, HoursError, Measure};
pub use labels::{StagesOf, from_issues};
pub use options::{Opt, Takes};
pub(crate) use parts::{all, between};
pub use people::People;
pub use pulls::{Pull, bots, from_pull_requests};
pub use question::{Across, Question};
pub use range::{Range, RangeError};
pub use rework::{Of, rework};
pub use sheet::{Cell, Column, Sheet};
pub use stages::{Group, OpenItem, OpenItems, Share, StageReport, Waiting, stages};
pub use statistics::{BUCKETS, Figures};

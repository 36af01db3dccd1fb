//! What is known of a repository before it is read, and what reading costs: expected values, so that they are fractions.

use crate::entities::Group;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add;

/// Entities of which GitHub tells the total of every repository and organization.
pub(crate) const TOLD: &[&str] = &[
    "repositories",
    "branches",
    "tags",
    "labels",
    "milestones",
    "releases",
    "teams",
    "pull_requests",
    "issues",
    "commits",
    "deployments",
    "projects",
    "project_items",
];

/// Requests over REST, queries and points of GraphQL.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Bill {
    pub(crate) rest: f64,
    pub(crate) graphql: f64,
    pub(crate) points: f64,
}

impl Bill {
    pub(crate) fn requests(rest: f64) -> Self {
        Self { rest, ..Self::default() }
    }

    /// So many queries that ask for `first` items each.
    pub(crate) fn queries(count: f64, query: &str, first: u32) -> Self {
        Self::priced(count, query, &json!({ "first": first }))
    }

    pub(crate) fn priced(count: f64, query: &str, variables: &Value) -> Self {
        Self { graphql: count, points: count * github::points(query, variables) as f64, ..Self::default() }
    }
}

impl Add for Bill {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { rest: self.rest + other.rest, graphql: self.graphql + other.graphql, points: self.points + other.points }
    }
}

/// Pages after the first one.
pub(crate) fn further(rows: u64, page: u32) -> u32 {
    u32::try_from(rows.saturating_sub(1) / u64::from(page.max(1))).unwrap_or(u32::MAX)
}

/// Items that only REST counts.
pub(crate) struct Counted {
    /// Where, at one request.
    pub(crate) path: String,
    /// What they are counted per, where they are estimated: an entity with a total.
    pub(crate) per: &'static str,
    /// How many there usually are, where none was counted.
    pub(crate) each: f64,
}

/// What a sample weighed: sums over the items looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weight {
    /// The entity whose items they are.
    pub(crate) of: &'static str,
    pub(crate) items: f64,
    /// Rows of other entities under them.
    pub(crate) rows: BTreeMap<&'static str, f64>,
    /// Pages of their lists after the first.
    pub(crate) further: f64,
    /// Bytes of their texts.
    pub(crate) text: f64,
}

impl Weight {
    pub(crate) fn add(&mut self, other: &Self) {
        self.of = other.of;
        self.items += other.items;
        self.further += other.further;
        self.text += other.text;
        for (name, rows) in &other.rows {
            *self.rows.entry(name).or_default() += rows;
        }
    }
}

/// Rows of each entity in one repository, told or estimated, and further pages of the lists inside a sweep's items.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    pub(crate) rows: BTreeMap<&'static str, f64>,
    pub(crate) further: BTreeMap<&'static str, f64>,
    pub(crate) groups: BTreeSet<Group>,
}

impl Shape {
    pub(crate) fn wants(&self, group: Group) -> bool {
        group == Group::Always || self.groups.contains(&group)
    }

    pub(crate) fn rows(&self, entity: &str) -> f64 {
        self.rows.get(entity).copied().unwrap_or(0.0)
    }

    pub(crate) fn further(&self, sweep: &str) -> f64 {
        self.further.get(sweep).copied().unwrap_or(0.0)
    }

    /// Pages of so many rows; an empty list is a page, too.
    pub(crate) fn pages(&self, entity: &str, size: u32) -> f64 {
        (self.rows(entity) / f64::from(size.max(1))).ceil().max(1.0)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.rows.iter().map(|(name, rows)| (*name, *rows))
    }
}

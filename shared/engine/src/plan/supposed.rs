//! What the first sync of an organization would take that nobody has asked about: so many repositories alike, by the same
//! reckoning as `plan`. Asks nothing.

use super::aws::cost;
use super::{AwsCost, Bill, Charge, Shape};
use crate::Settings;
use crate::entities::Group;
use crate::sweeps;
use std::collections::BTreeMap;

/// An organization of repositories that are all alike.
#[derive(Debug, Clone)]
pub struct Supposed {
    pub repositories: f64,
    /// Of each entity, in one repository.
    pub rows: BTreeMap<&'static str, f64>,
    /// Pages of an entity's nested lists that do not come with it, in one repository.
    pub further: BTreeMap<&'static str, f64>,
}

impl Supposed {
    /// With everything fetched.
    #[must_use]
    pub fn takes(&self) -> (Charge, AwsCost) {
        let shape = Shape { rows: self.rows.clone(), further: self.further.clone(), groups: Group::ALL.into_iter().collect() };
        let settings = Settings::default();
        let sweeps: Vec<_> = sweeps::ALL.iter().filter(|sweep| sweep.is_wanted(&settings)).collect();
        let own = sweeps.iter().map(|sweep| sweep.first_read(&shape, &settings)).fold(Bill::default(), std::ops::Add::add);
        let times = |one: f64| one * self.repositories;
        let discovery = self.repositories / 100.0;
        let bill = Bill { rest: times(own.rest), graphql: times(own.graphql) + discovery, points: times(own.points) + discovery };
        let rows = shape.all().map(|(name, rows)| (name, times(rows))).chain([("repositories", self.repositories)]).collect();
        let jobs = times(sweeps.len() as f64);
        (bill.into(), cost(&rows, &BTreeMap::new(), &bill, self.repositories, jobs))
    }
}

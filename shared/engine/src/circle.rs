//! Whether a list that is read page by page leads back to where it was: a walk that asks for its own continuation would
//! go on for ever. Keeps two numbers, and reads nothing.

use crate::node::short_hash;
use serde::{Deserialize, Serialize};

/// So often in a row it comes back to one place: once may be a page that was read again.
const TOO_OFTEN: u8 = 3;

/// As Brent looks for a circle: each place is compared with one before, which moves on by powers of two.
/// <https://maths-people.anu.edu.au/~brent/pd/rpb051i.pdf>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Circle {
    steps: u64,
    landmark: u64,
    met: u8,
}

impl Circle {
    /// Goes on to a place; true where that has led back too often.
    pub(crate) fn closes_at(&mut self, place: &str) -> bool {
        let here = short_hash(place);
        if self.steps > 0 && here == self.landmark {
            self.met = self.met.saturating_add(1);
        }
        self.steps = self.steps.saturating_add(1);
        if self.met < TOO_OFTEN && self.steps.is_power_of_two() {
            (self.landmark, self.met) = (here, 0);
        }
        self.met >= TOO_OFTEN
    }
}

#[cfg(test)]
mod tests {
    use super::Circle;

    #[test]
    fn every_circle_is_found_and_no_straight_way_is_taken_for_one() {
        for (before, around) in (0..40).flat_map(|before| (1..40).map(move |around| (before, around))) {
            let mut circle = Circle::default();
            for place in 0..before + around {
                assert!(!circle.closes_at(&place.to_string()), "straight on to {place}");
            }
            let found = (0..16 * (before + around)).any(|step| circle.closes_at(&(before + step % around).to_string()));
            assert!(found, "around {around} after {before}");
        }
    }

    #[test]
    fn a_page_that_is_read_twice_is_no_circle() {
        let mut circle = Circle::default();
        for place in (0..500).map(|place| place.to_string()) {
            assert!(!circle.closes_at(&place) && !circle.closes_at(&place), "{place}");
        }
    }
}

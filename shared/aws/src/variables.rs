//! A function's environment variables: those that must be there and the GitHub's address, with all mistakes collected.

use engine::{Group, Selection, Settings};
use github::ApiUrl;
use std::collections::BTreeSet;

pub(crate) struct Variables<R> {
    read: R,
    pub(crate) wrong: Vec<String>,
}

impl<R: Fn(&str) -> Option<String>> Variables<R> {
    /// `read` looks a variable up.
    pub(crate) fn new(read: R) -> Self {
        Self { read, wrong: Vec::new() }
    }

    /// Empty, and noted, if it is not set.
    pub(crate) fn required(&mut self, name: &str) -> String {
        (self.read)(name).filter(|value| !value.trim().is_empty()).unwrap_or_else(|| {
            self.wrong.push(format!("{name} is not set"));
            String::new()
        })
    }

    pub(crate) fn optional(&self, name: &str) -> Option<String> {
        (self.read)(name).filter(|value| !value.trim().is_empty())
    }

    /// Separated by commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        split(&(self.read)(name).unwrap_or_default())
    }

    /// Bytes, of a whole number of megabytes; none if it is not set.
    pub(crate) fn megabytes(&mut self, name: &str) -> Option<u64> {
        let text = (self.read)(name).filter(|text| !text.trim().is_empty())?;
        match text.trim().parse::<u64>() {
            Ok(megabytes) => Some(megabytes << 20),
            Err(_) => {
                self.wrong.push(format!("{name}: `{text}` is not a number of megabytes"));
                None
            }
        }
    }

    /// What is copied, where no integration says so, and of which GitHub.
    pub(crate) fn choices(&mut self) -> (Settings, Option<ApiUrl>) {
        let orgs = self.list("SEI_ORGS");
        let api_url = self.api_url();
        let mut groups = BTreeSet::new();
        for name in self.list("SEI_FETCH") {
            match Group::parse(&name) {
                Some(group) => drop(groups.insert(group)),
                None => self.wrong.push(format!("SEI_FETCH: `{name}` is not a group")),
            }
        }
        if groups.is_empty() {
            groups.extend(Group::ALL);
        }
        let selection = Selection { include: self.list("SEI_REPOS"), exclude: self.list("SEI_EXCLUDE"), ..Selection::default() };
        (Settings { orgs, selection, groups, ..Settings::default() }, api_url)
    }

    /// GitHub's own service unless told; none, and noted, if it is no address.
    pub(crate) fn api_url(&mut self) -> Option<ApiUrl> {
        let text = (self.read)("SEI_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
        ApiUrl::parse(&text).map_err(|error| self.wrong.push(format!("SEI_API_URL: {error}"))).ok()
    }
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

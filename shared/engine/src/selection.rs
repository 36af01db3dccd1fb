//! Which of an organization's repositories are copied, and why the others are not. Asks nobody.

use crate::Error;
use crate::node::Node;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the owner chose. As it is made, it takes every repository, present and future.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// Globs on `owner/name` (or on the name alone); empty takes all.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    /// Empty takes all.
    pub visibility: BTreeSet<Visibility>,
    pub no_archived: bool,
    pub no_forks: bool,
    /// Those that have one of these; empty takes all.
    pub topics: Vec<String>,
    /// Those that were pushed to at this time or later.
    pub pushed_since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    Public,
    Private,
    Internal,
}

impl Visibility {
    pub const ALL: [Self; 3] = [Self::Public, Self::Private, Self::Internal];

    /// As GitHub calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Internal => "internal",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }
}

/// Why a repository is left out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Reason {
    #[error("it belongs to {0}, not to the organization")]
    OtherOwner(String),
    #[error("its name matches none of the patterns that were chosen")]
    NotNamed,
    #[error("its name matches the excluded pattern `{0}`")]
    Excluded(String),
    #[error("it is {0}, which was not chosen")]
    Visibility(String),
    #[error("it is archived")]
    Archived,
    #[error("it is a fork")]
    Fork,
    #[error("it has none of the topics that were chosen")]
    Topic,
    #[error("it was last pushed to {}", .0.map_or_else(|| "never".to_owned(), |at| format!("at {at}, before the time that was chosen")))]
    NotPushed(Option<Timestamp>),
}

impl Reason {
    /// Short and stable, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherOwner(_) => "other_owner",
            Self::NotNamed => "not_named",
            Self::Excluded(_) => "excluded",
            Self::Visibility(_) => "visibility",
            Self::Archived => "archived",
            Self::Fork => "fork",
            Self::Topic => "topic",
            Self::NotPushed(_) => "not_pushed",
        }
    }
}

impl Selection {
    /// Whether every repository is taken.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn compile(&self) -> Result<Selector<'_>, Error> {
        let include = if self.include.is_empty() { None } else { Some(globs(&self.include)?) };
        Ok(Selector { selection: self, include, exclude: globs(&self.exclude)? })
    }
}

/// A name as a pattern: what would be special in one is not meant.
#[must_use]
pub fn literal(name: &str) -> String {
    name.chars().flat_map(|letter| if "*?[]{}!\\".contains(letter) { vec!['\\', letter] } else { vec![letter] }).collect()
}

/// The name that such a pattern was made of; none if it is one for several names.
#[must_use]
pub fn unliteral(pattern: &str) -> Option<String> {
    let (mut name, mut letters) = (String::new(), pattern.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => name.push(letters.next()?),
            '*' | '?' | '[' | ']' | '{' | '}' | '!' => return None,
            _ => name.push(letter),
        }
    }
    Some(name)
}

/// A selection ready to be asked.
pub(crate) struct Selector<'a> {
    selection: &'a Selection,
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Selector<'_> {
    /// Strikes out of `unmatched` the chosen patterns that fit this name.
    pub(crate) fn strike(&self, full_name: &str, unmatched: &mut BTreeSet<String>) {
        let (Some(include), name) = (&self.include, full_name.split('/').next_back().unwrap_or_default()) else { return };
        for index in include.matches(full_name).into_iter().chain(include.matches(name)) {
            if let Some(pattern) = self.selection.include.get(index) {
                unmatched.remove(pattern);
            }
        }
    }

    /// Whether it takes this name, whatever else speaks against it.
    pub(crate) fn names(&self, full_name: &str) -> bool {
        let name = full_name.split('/').next_back().unwrap_or_default();
        let fits = |globs: &GlobSet| globs.is_match(full_name) || globs.is_match(name);
        self.include.as_ref().is_none_or(fits) && !fits(&self.exclude)
    }

    /// Everything that speaks against a repository, as discovery's query tells it; nothing if it is taken.
    pub(crate) fn against(&self, repo: Node<'_>, org: &str) -> Vec<Reason> {
        let full_name = repo.str("nameWithOwner").unwrap_or_default();
        let (owner, name) = full_name.split_once('/').unwrap_or(("", full_name));
        let mut against = Vec::new();
        if !owner.eq_ignore_ascii_case(org) {
            against.push(Reason::OtherOwner(owner.to_owned()));
        }
        if self.include.as_ref().is_some_and(|include| !include.is_match(full_name) && !include.is_match(name)) {
            against.push(Reason::NotNamed);
        }
        let excluded = self.exclude.matches(full_name).into_iter().chain(self.exclude.matches(name)).next();
        against.extend(excluded.and_then(|index| self.selection.exclude.get(index)).cloned().map(Reason::Excluded));
        let visibility = repo.str("visibility").unwrap_or_default().to_lowercase();
        let chosen = &self.selection.visibility;
        if !chosen.is_empty() && !Visibility::parse(&visibility).is_some_and(|is| chosen.contains(&is)) {
            against.push(Reason::Visibility(visibility));
        }
        if self.selection.no_archived && repo.flag("isArchived") {
            against.push(Reason::Archived);
        }
        if self.selection.no_forks && repo.flag("isFork") {
            against.push(Reason::Fork);
        }
        let wanted = |topic: &str| self.selection.topics.iter().any(|wanted| wanted.eq_ignore_ascii_case(topic));
        let topics = || repo.items("repositoryTopics.nodes").filter_map(|topic| topic.str("topic.name"));
        if !self.selection.topics.is_empty() && !topics().any(wanted) {
            against.push(Reason::Topic);
        }
        let pushed = repo.time("pushedAt");
        if self.selection.pushed_since.is_some_and(|since| pushed.is_none_or(|pushed| pushed < since)) {
            against.push(Reason::NotPushed(pushed));
        }
        against
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        // GitHub's names are the same in any case.
        let glob = GlobBuilder::new(pattern).case_insensitive(true).build().map_err(|source| Error::Pattern { pattern: pattern.clone(), source })?;
        set.add(glob);
    }
    set.build().map_err(|source| Error::Pattern { pattern: patterns.join(", "), source })
}

//! What a check finds, and what all findings come to. Asks nothing.

use super::codes::{Code, EXPIRY, VALID};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Pass,
    Warn,
    Fail,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub code: &'static str,
    pub outcome: Outcome,
    /// Fingerprint of the token that it is about.
    pub token: Option<String>,
    pub organization: Option<String>,
    pub message: String,
    /// The features that are lost; none if it passes.
    pub costs: Option<String>,
    /// What to do, with the link or command.
    pub remedy: Option<String>,
}

impl Finding {
    fn new(code: &Code, outcome: Outcome, message: impl Into<String>) -> Self {
        let costs = (outcome != Outcome::Pass).then(|| code.costs.to_owned());
        Self { code: code.name, outcome, token: None, organization: None, message: message.into(), costs, remedy: None }
    }

    pub(crate) fn pass(code: &Code, message: impl Into<String>) -> Self {
        Self::new(code, Outcome::Pass, message)
    }

    pub(crate) fn warn(code: &Code, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..Self::new(code, Outcome::Warn, message) }
    }

    pub(crate) fn fail(code: &Code, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..Self::new(code, Outcome::Fail, message) }
    }

    /// Fails what the chosen options need, and warns of the rest.
    pub(crate) fn lacking(code: &Code, needed: bool, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        let outcome = if needed { Outcome::Fail } else { Outcome::Warn };
        Self { remedy: Some(remedy.into()), ..Self::new(code, outcome, message) }
    }

    pub(crate) fn about(self, organization: &str) -> Self {
        Self { organization: Some(organization.to_owned()), ..self }
    }
}

/// What all findings come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The chosen options can work.
    Works,
    /// GitHub accepts none of the tokens, or they have ended.
    Unauthenticated,
    Fails,
}

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub verdict: Verdict,
    /// Requests that the check took.
    pub requests: u64,
    pub findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(tokens: &[String], requests: u64, findings: Vec<Finding>) -> Self {
        Self { verdict: verdict(tokens, &findings), requests, findings }
    }
}

/// A token that is not accepted is set aside, as `sync` does; one that is accepted and lacks something would leave
/// holes in the copy, so that nothing of it may fail.
fn verdict(tokens: &[String], findings: &[Finding]) -> Verdict {
    let failed = |finding: &&Finding| finding.outcome == Outcome::Fail;
    let refused: Vec<&String> = findings
        .iter()
        .filter(failed)
        .filter(|finding| finding.code == VALID.name || finding.code == EXPIRY.name)
        .filter_map(|finding| finding.token.as_ref())
        .collect();
    if !tokens.is_empty() && tokens.iter().all(|token| refused.contains(&token)) {
        return Verdict::Unauthenticated;
    }
    let fails = findings.iter().filter(failed).any(|finding| finding.token.as_ref().is_none_or(|token| !refused.contains(&token)));
    if fails { Verdict::Fails } else { Verdict::Works }
}

//! What a token with permissions may read, found out by reading one object of each kind.
//! <https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens>

use super::asker::{Asker, Heard};
use super::codes::{ACTIONS, CONTENTS, Code, DEPLOYMENTS, ISSUES, MEMBERS, PULLS};
use super::finding::Finding;
use crate::entities::Group;
use crate::env::Settings;
use github::{Error, Forbidden, Reply};

/// A repository to read from. Only of a private one do the answers prove a permission.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) private: bool,
}

struct Right {
    code: &'static Code,
    /// As GitHub's page for tokens names it.
    called: &'static str,
    path: String,
    /// Whether the answer is about the repository.
    of_repository: bool,
}

/// Asks for what the chosen groups need.
pub(crate) async fn look(asker: &Asker<'_>, org: &str, sample: Option<&Sample>, settings: &Settings) -> Vec<Finding> {
    let wanted = rights(org, sample, settings);
    let heard = futures::future::join_all(wanted.iter().map(|right| asker.get(&right.path))).await;
    let web = asker.client.url().web();
    wanted.iter().zip(heard).filter_map(|(right, heard)| judge(right, &heard, sample, &web)).collect()
}

fn rights(org: &str, sample: Option<&Sample>, settings: &Settings) -> Vec<Right> {
    let any = |groups: &[Group]| groups.iter().any(|group| settings.wants(*group));
    let mut all = Vec::new();
    if let Some(sample) = sample {
        let of = |code, called, list: &str| Right { code, called, path: format!("/repos/{}/{list}?per_page=1", sample.name), of_repository: true };
        let lists: [(bool, &'static Code, &'static str, &str); 5] = [
            (any(&[Group::Issues]), &ISSUES, "Issues", "issues"),
            (any(&[Group::PullRequests]), &PULLS, "Pull requests", "pulls"),
            // Branches and tags come with every sync.
            (true, &CONTENTS, "Contents", "commits"),
            (any(&[Group::Deployments]), &DEPLOYMENTS, "Deployments", "deployments"),
            (any(&[Group::WorkflowRuns]), &ACTIONS, "Actions", "actions/runs"),
        ];
        all.extend(lists.into_iter().filter(|(wanted, ..)| *wanted).map(|(_, code, called, list)| of(code, called, list)));
    }
    if any(&[Group::Teams]) {
        all.push(Right { code: &MEMBERS, called: "Members", path: format!("/orgs/{org}/teams?per_page=1"), of_repository: false });
    }
    all
}

fn judge(right: &Right, heard: &Heard<Reply>, sample: Option<&Sample>, web: &str) -> Option<Finding> {
    let probe = heard.as_ref().ok()?;
    let where_from = sample.filter(|_| right.of_repository).map(|sample| format!(" of {}", sample.name)).unwrap_or_default();
    let of = right.called.to_lowercase();
    match &probe.answer {
        // Empty, or switched off in this repository: it was let in.
        Ok(_) | Err(Error::Empty | Error::Gone { .. }) => {
            let public = right.of_repository && sample.is_some_and(|sample| !sample.private);
            let proof = if public { ", which is public: anybody may" } else { "" };
            Some(Finding::pass(right.code, format!("the token may read {of}{where_from}{proof}")))
        }
        // What is not permitted is often told as not being there; the repository was listed, so it is.
        Err(Error::Absent { .. } | Error::Forbidden { reason: Forbidden::Other | Forbidden::Scope { .. } | Forbidden::Permission { .. }, .. }) => {
            let needs = probe.told.accepted_permissions.as_ref().map(|accepted| format!(" (GitHub asks for {accepted})")).unwrap_or_default();
            let place = if right.of_repository { "Repository" } else { "Organization" };
            let remedy = format!("set {place} permissions, {}, to Read-only for the token at {web}/settings/personal-access-tokens", right.called);
            Some(Finding::fail(right.code, format!("the token may not read {of}{where_from}{needs}"), remedy))
        }
        // The organization's own doors are told apart elsewhere.
        Err(Error::Forbidden { .. }) => None,
        Err(error) => Some(Finding::warn(right.code, format!("whether the token may read {of} could not be found out: {error}"), "run sei-github check again")),
    }
}

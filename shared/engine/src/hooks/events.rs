//! Which events a hook asks for: those that what is copied is made of, and no others. Asks nothing of GitHub.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads>

use crate::entities::Group;
use crate::env::Settings;
use crate::integration::Webhook;
use github::HookOwner;

/// An event, the groups that it is for, and whether organizations alone have it.
type Row = (&'static str, &'static [Group], bool);

const PUSH: &[Row] = &[
    ("create", &[Group::Commits, Group::Releases], false),
    ("delete", &[Group::Commits, Group::Releases], false),
    ("deployment", &[Group::Deployments], false),
    ("deployment_status", &[Group::Deployments], false),
    ("issue_comment", &[Group::Issues, Group::PullRequests], false),
    ("issues", &[Group::Issues], false),
    ("label", &[Group::Always], false),
    ("member", &[Group::Always], false),
    ("membership", &[Group::Teams], true),
    ("milestone", &[Group::Always], false),
    ("organization", &[Group::Always], true),
    ("pull_request", &[Group::PullRequests], false),
    ("pull_request_review", &[Group::PullRequests], false),
    ("pull_request_review_comment", &[Group::PullRequests], false),
    ("pull_request_review_thread", &[Group::PullRequests], false),
    ("push", &[Group::Always], false),
    ("release", &[Group::Releases], false),
    ("repository", &[Group::Always], false),
    ("sub_issues", &[Group::Issues], false),
    ("team", &[Group::Teams], true),
    ("team_add", &[Group::Teams], false),
    ("workflow_run", &[Group::WorkflowRuns], false),
];

/// Boards, and the issues on them.
const STAGES: &[&str] = &["issues", "sub_issues"];
const PROJECTS: &[&str] = &["projects_v2", "projects_v2_item"];

/// In alphabetical order.
#[must_use]
pub fn events(mode: Webhook, settings: &Settings, owner: &HookOwner) -> Vec<&'static str> {
    let organization = matches!(owner, HookOwner::Organization(_));
    let mut wanted: Vec<&str> = match mode {
        Webhook::None => Vec::new(),
        Webhook::Stages => STAGES.to_vec(),
        Webhook::Push => {
            let wants = |row: &&Row| (organization || !row.2) && row.1.iter().any(|group| settings.wants(*group));
            PUSH.iter().filter(wants).map(|row| row.0).collect()
        }
    };
    if mode != Webhook::None && organization && settings.wants(Group::Projects) {
        wanted.extend(PROJECTS);
    }
    wanted.sort_unstable();
    wanted
}

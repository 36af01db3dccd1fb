//! Deployments and workflow runs.

use super::effects::{Effects, Event, Fields, Wrong};
use crate::entities::DEPLOYMENTS;
use crate::node::padded;
use crate::sweeps;

/// Its statuses are not told, so it is asked for.
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment>
pub(super) fn deployment(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let (scope, deployment) = (event.repo()?.id, event.payload.at("deployment"));
    let id = deployment.u64("id").ok_or(Wrong::Lacks("deployment.id"))?;
    let node_id = deployment.str("node_id").ok_or(Wrong::Lacks("deployment.node_id"))?;
    let at = effects.time(deployment, "updated_at").ok_or(Wrong::Lacks("deployment.updated_at"))?;
    effects.who(deployment, "creator");
    let mut fields = Fields::of(deployment);
    fields.copy(&["id", "node_id", "sha", "task", "environment", "description"]);
    fields.times(&["created_at", "updated_at"]);
    fields.set("author", "creator", |deployment| deployment.login("creator"));
    effects.part(&DEPLOYMENTS, scope, padded(id), at, fields.map);
    effects.ask(scope, &DEPLOYMENTS, node_id, &padded(id));
    Ok(())
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_status>
pub(super) fn deployment_status(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    event.payload.str("deployment_status.state").ok_or(Wrong::Lacks("deployment_status.state"))?;
    deployment(event, effects)
}

/// As REST tells it, and so as its sweep reads it.
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run>
pub(super) fn workflow_run(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let (scope, run) = (event.repo()?.id, event.payload.at("workflow_run"));
    run.u64("id").ok_or(Wrong::Lacks("workflow_run.id"))?;
    let at = effects.time(run, "updated_at").ok_or(Wrong::Lacks("workflow_run.updated_at"))?;
    effects.read(scope, at, |out| sweeps::workflow_run(run, out));
    Ok(())
}

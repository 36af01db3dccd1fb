//! Single objects over REST, of the kinds whose lists are read over REST. Strikes nothing off.

use super::Open;
use super::batch::is_absent;
use crate::entities::{Entity, WORKFLOW_RUNS};
use crate::model::Record;
use crate::node::{Node, Out};
use crate::repository::Repository;
use crate::sweeps;
use crate::{Env, Error};
use jiff::Timestamp;

/// None if GitHub does not have it.
pub(super) async fn read(open: &Open, entity: &Entity, repo: &Repository, env: &Env, now: Timestamp) -> Result<Option<Vec<Record>>, Error> {
    // `number#id`, or the id alone.
    let id = open.kept.key.rsplit('#').next().and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
    let of = if entity == &WORKFLOW_RUNS { "actions/runs" } else { "pulls/comments" };
    let reply = match env.rest(&format!("/repos/{}/{of}/{id}", repo.full_name())).await {
        Err(Error::GitHub(error)) if is_absent(&error) => return Ok(None),
        reply => reply?,
    };
    let mut out = Out::new(repo.id, now);
    if entity == &WORKFLOW_RUNS {
        sweeps::workflow_run(Node(&reply.body), &mut out);
    } else {
        sweeps::review_comment(Node(&reply.body), &mut out);
    }
    Ok(Some(out.records))
}

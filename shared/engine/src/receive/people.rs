//! Members and teams. A team's members and repositories no payload lists: the team is asked for.

use super::effects::{Effects, Event, Wrong};
use crate::asked::Asked;
use crate::entities::TEAMS;
use crate::node::padded;

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#member>
pub(super) fn member(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    event.payload.u64("member.id").ok_or(Wrong::Lacks("member.id"))?;
    effects.who(event.payload, "member");
    Ok(())
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#organization>
pub(super) fn organization(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    match event.action {
        "deleted" => Err(Wrong::Ignored(format!("the organization `{}` was deleted; what was copied of it stays", event.org))),
        "renamed" => Err(Wrong::Ignored(format!("the organization is called `{}` now: change the integration, if that has its former name", event.org))),
        _ => {
            effects.who(event.payload, "membership.user");
            effects.who(event.payload, "user");
            Ok(())
        }
    }
}

/// `team`, `team_add` and `membership`. <https://docs.github.com/en/webhooks/webhook-events-and-payloads#team>
pub(super) fn team(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let team = event.payload.at("team");
    let id = team.u64("id").ok_or(Wrong::Lacks("team.id"))?;
    effects.who(event.payload, "member");
    // The membership ended with the team.
    let deleted = event.name == "team" && event.deleted() || team.flag("deleted");
    if deleted {
        effects.gone(&TEAMS, event.org_id, padded(id));
        return Ok(());
    }
    let node_id = team.str("node_id").ok_or(Wrong::Lacks("team.node_id"))?;
    let question = Asked { entity: TEAMS.name, id: node_id.to_owned(), key: padded(id), org: Some(event.org.to_owned()) };
    effects.asked.push((event.org_id, question));
    Ok(())
}

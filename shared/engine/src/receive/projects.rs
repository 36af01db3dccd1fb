//! `projects_v2` and `projects_v2_item`: what happens to projects and their items. Not copied yet.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#projects_v2_item>

use super::effects::{Effects, Event, Wrong};

pub(super) fn read(event: &Event<'_>, _effects: &mut Effects) -> Result<(), Wrong> {
    Err(Wrong::Ignored(format!("`{}`: projects are not copied", event.name)))
}

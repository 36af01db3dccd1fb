//! Who changed what and when.

use crate::Shared;
use crate::layout;
use crate::stop::Stop;
use crate::who::Who;
use crate::words::exact;
use axum::extract::State;
use engine::audit;
use maud::{Markup, html};

/// So many are shown.
const SHOWN: usize = 500;

pub(crate) async fn page(State(console): Shared, who: Who) -> Result<Markup, Stop> {
    let all = audit::latest(console.store.as_ref(), console.now()).await?;
    let body = html! {
        div class="title" { h1 { "Changes" } }
        p class="muted" { "What was changed by way of a console, this month and the one before, the newest first. What commands change is not here." }
        @if all.is_empty() { (layout::empty("Nothing was changed yet", html! { p { "Each change leaves a line here, whoever makes it." } })) }
        @else {
            div class="scroll" tabindex="0" role="region" aria-label="Changes" {
                table {
                    thead { tr { th scope="col" { "When (UTC)" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Of" } th scope="col" { "Came of it" } } }
                    tbody {
                        @for one in all.iter().take(SHOWN) {
                            tr {
                                td { (exact(one.at, 0)) } td { (one.who) } td { code { (one.what) } } td { (one.of) }
                                td { @if one.why_not.is_empty() { "done" } @else { (one.why_not) } }
                            }
                        }
                    }
                }
            }
            @if all.len() > SHOWN { p class="muted" { "and " (all.len() - SHOWN) " more" } }
        }
    };
    Ok(layout::page(&console, &who, "Changes", "Changes", body))
}

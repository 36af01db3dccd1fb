//! The frame of every page. Says nothing of its own but where one is.

use crate::Console;
use crate::who::{Role, Who};
use maud::{DOCTYPE, Markup, html};

/// The pages that are always to be had, by their first words.
const PAGES: [(&str, &str); 6] = [
    ("Activity", "/console/"),
    ("Reports", "/console/reports"),
    ("Connectors", "/console/connectors"),
    ("Events", "/console/events"),
    ("Dead letters", "/console/letters"),
    ("Changes", "/console/changes"),
];

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " – sei-github" }
            link rel="stylesheet" href={ "/console/assets/" (crate::assets::STYLE) };
            link rel="icon" href="/console/assets/icon.svg" type="image/svg+xml";
            script src={ "/console/assets/" (crate::assets::SCRIPT) } defer {}
        }
    }
}

/// A page of the console; `title` begins with one of the pages' names if it belongs to it.
pub(crate) fn page(console: &Console, who: &Who, at: &str, title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body {
                a class="skip" href="#main" { "To the content" }
                header class="top" {
                    a class="brand" href="/console/" { span class="sign" aria-hidden="true" {} "sei-github" }
                    nav aria-label="Console" {
                        @for (name, href) in PAGES {
                            a href=(href) aria-current=[(name == at).then_some("page")] { (name) }
                        }
                    }
                    p class="place" {
                        span title="Where this copy is" { (console.place.title) }
                        @if who.role == Role::Viewer { " " span class="chip calm" { "read only" } }
                    }
                    @if let Some(address) = who.signs_out {
                        form class="leave" method="post" action=(address) { span { (who.name) } " " button { "Sign out" } }
                    }
                }
                main id="main" tabindex="-1" { (body) }
                p class="toast" role="status" id="said" {}
            }
        }
    }
}

/// For whom there is no more to see.
pub(crate) fn bare(title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body class="bare" { main id="main" { h1 { (title) } (body) } }
        }
    }
}

/// What proves that a form is one of ours.
pub(crate) fn proof(who: &Who) -> Markup {
    html! { @if let Some(csrf) = &who.csrf { input type="hidden" name="csrf" value=(csrf); } }
}

/// Where there is nothing to show.
pub(crate) fn empty(title: &str, body: Markup) -> Markup {
    html! { div class="empty" { h2 { (title) } (body) } }
}

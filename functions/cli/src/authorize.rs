//! `authorize`: from arguments to an authorized OAuth app, whose token is kept beside the copy and never shown.

use crate::arguments::Authorize;
use crate::connect::keep;
use crate::device;
use crate::failure::Failure;
use crate::place::Place;
use engine::authorization::{SCOPES, ticket};
use engine::{Clock, Credentials, IntegrationError, SystemClock, integration};
use github::Secret;
use std::process::ExitCode;

pub(crate) async fn run(arguments: Authorize) -> Result<ExitCode, Failure> {
    let place = arguments.place.find().await?;
    let url = arguments.server.url(&place)?;
    let Some(client_id) = &arguments.client_id else { return link(&place, &arguments.name).await };
    let ca = arguments.server.certificates()?;
    // Before a person is sent to GitHub's page: what cannot be stored need not be authorized.
    let (vault, name) = place.vault(&arguments.name)?;
    vault.read(&name).await?;
    // Read here: a secret is no argument.
    let secret = std::env::var("GITHUB_OAUTH_CLIENT_SECRET").ok().filter(|secret| !secret.trim().is_empty()).map(|secret| Secret::new(&secret));
    let show = |code: &github::DeviceCode| {
        eprintln!("Open {} and enter the code {} (good for {} minutes; Ctrl-C stops)", code.verification_uri, code.user_code, code.expires_in.as_mins());
    };
    let scopes = if arguments.scopes.is_empty() { SCOPES.to_owned() } else { arguments.scopes.join(" ") };
    let credential = device::authorize(url, ca.as_deref(), (client_id, secret), &scopes, &SystemClock, show).await?;
    keep(&place, &arguments.name, std::slice::from_ref(&credential)).await?;
    if place.is_there() {
        let table = place.open().await?;
        let used = integration::change(&table.store(), &arguments.name, |one| one.credentials = Credentials::Stored).await;
        table.shutdown().await;
        match used {
            // Kept for an integration that is yet to come.
            Ok(_) | Err(IntegrationError::Unknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match &place {
        Place::Directory(dir) => eprintln!("authorized; the token is kept in {}, for this user only", dir.join("credentials.json").display()),
        Place::Stack(stack) => eprintln!("authorized; the token is in the secret of the stack {}", stack.name),
    }
    Ok(ExitCode::SUCCESS)
}

/// A stack's own sign-in page, by a link that is good once and for ten minutes.
async fn link(place: &Place, name: &str) -> Result<ExitCode, Failure> {
    match place.stack() {
        Some(stack) if stack.has("ConnectUrl") => {
            let ticket = ticket(&stack.store()?, name, SystemClock.now()).await?;
            println!("{}/oauth/authorize?ticket={}", stack.output("ConnectUrl")?, ticket.reveal());
            eprintln!("Open it in a browser within ten minutes; it is good once. The token goes straight into the stack's secret");
            Ok(ExitCode::SUCCESS)
        }
        Some(stack) => Err(Failure::Usage(format!(
            "the stack {} has no OAuth app: deploy it with the parameter OAuthClientId, or say --client-id to sign in by the device flow",
            stack.name
        ))),
        None => Err(Failure::Usage("name the OAuth app with --client-id".to_owned())),
    }
}

//! `authorize`: from arguments to an authorized OAuth app, whose token is kept in the data directory and never shown.

use crate::arguments::Authorize;
use crate::connect::keep;
use crate::device::{self, SCOPES};
use crate::failure::Failure;
use aws::FileVault;
use engine::{Credentials, IntegrationError, SystemClock, Vault, integration};
use github::Secret;
use std::process::ExitCode;

pub(crate) async fn run(arguments: Authorize) -> Result<ExitCode, Failure> {
    let (url, ca) = (arguments.server.url()?, arguments.server.certificates()?);
    let vault = FileVault::new(&arguments.place.data_dir);
    // Before a person is sent to GitHub's page: what cannot be stored need not be authorized.
    vault.read(&arguments.name).await?;
    // Read here: a secret is no argument.
    let secret = std::env::var("GITHUB_OAUTH_CLIENT_SECRET").ok().filter(|secret| !secret.trim().is_empty()).map(|secret| Secret::new(&secret));
    let show = |code: &github::DeviceCode| {
        eprintln!("Open {} and enter the code {} (good for {} minutes; Ctrl-C stops)", code.verification_uri, code.user_code, code.expires_in.as_mins());
    };
    let scopes = if arguments.scopes.is_empty() { SCOPES.to_owned() } else { arguments.scopes.join(" ") };
    let credential = device::authorize(url, ca.as_deref(), (&arguments.client_id, secret), &scopes, &SystemClock, show).await?;
    keep(&vault, &arguments.name.to_lowercase(), std::slice::from_ref(&credential)).await?;
    if aws::Embedded::is_in(&arguments.place.data_dir) {
        let table = aws::Embedded::open(&arguments.place.data_dir).await?;
        let used = integration::change(&table.store(), &arguments.name, |one| one.credentials = Credentials::Stored).await;
        table.shutdown().await;
        match used {
            // Kept for an integration that is yet to come.
            Ok(_) | Err(IntegrationError::Unknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    eprintln!("authorized; the token is kept in {}, for this user only", arguments.place.data_dir.join("credentials.json").display());
    Ok(ExitCode::SUCCESS)
}

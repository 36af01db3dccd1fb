//! `uninstall`: takes a deployed stack away: its webhooks at GitHub first, while there is a token, then the stack. Says
//! before what goes and what stays.

use crate::arguments::Uninstall;
use crate::failure::Failure;
use crate::place::Place;
use crate::runner::patiently;
use crate::show::confirmed;
use crate::source::Chosen;
use crate::stack::{Stack, refused};
use engine::{Env, SystemClock, hooks, integration};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// CloudFormation takes some minutes.
const PATIENCE: u32 = 300;

pub(crate) async fn run(arguments: Uninstall) -> Result<ExitCode, Failure> {
    let stack = arguments.stack.find().await?;
    let table = stack.output("TableName")?.to_owned();
    let kept = hooks::hooks(&stack.store()?, None).await?;
    let mut all = kept;
    for one in integration::integrations(&stack.store()?).await? {
        all.extend(hooks::hooks(&stack.store()?, Some(&one.name)).await?);
    }
    eprintln!("Goes:  {} at GitHub", if all.len() == 1 { "1 webhook".to_owned() } else { format!("{} webhooks", all.len()) });
    eprintln!("       the functions, queues, secrets (with the token) and logs of the stack {}", stack.name);
    eprintln!("Stays: the copy, in the table {table}, protected from deletion; it costs its storage until you delete it");
    eprintln!("       the token itself at GitHub: revoke it there if nothing else uses it");
    if !arguments.yes && !confirmed(&format!("Take the stack {} away?", stack.name))? {
        return Ok(ExitCode::FAILURE);
    }
    let left = unhook(&stack).await?;
    if !left.is_empty() && !arguments.force {
        for one in &left {
            eprintln!("sei-github: {one}");
        }
        return Err(Failure::Failed("the stack is still there, since webhooks of it are: remove them at GitHub, or say --force".to_owned()));
    }
    let client = aws_sdk_cloudformation::Client::new(&stack.aws);
    client.delete_stack().stack_name(&stack.name).send().await.map_err(|error| refused("the stack cannot be deleted", &error))?;
    for _ in 0..PATIENCE {
        match Stack::find(&stack.name).await {
            Err(Failure::Usage(_)) => {
                eprintln!("The stack {} is gone.", stack.name);
                return Ok(ExitCode::SUCCESS);
            }
            Ok(now) if now.state == "DELETE_FAILED" => {
                return Err(Failure::Failed(format!("CloudFormation could not delete all of it: look at the events of the stack {}", stack.name)));
            }
            Ok(now) if now.state == "DELETE_COMPLETE" => return Ok(ExitCode::SUCCESS),
            Ok(_) => tokio::time::sleep(Duration::from_secs(2)).await,
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::Failed("CloudFormation is still deleting the stack after ten minutes".to_owned()))
}

/// Removes the webhooks; returns what could not be removed, and why.
async fn unhook(stack: &Stack) -> Result<Vec<String>, Failure> {
    let store = Arc::new(stack.store()?);
    let place = Place::Stack(Box::new(stack.clone()));
    let mut left = Vec::new();
    for chosen in Chosen::all(&place, store.as_ref()).await? {
        let of = hooks::hooks(store.as_ref(), chosen.settings.integration.as_deref()).await?;
        if of.is_empty() {
            continue;
        }
        let github = match chosen.tokens(&place).await {
            Ok(github) => github,
            Err(failure) => {
                left.extend(of.iter().map(|hook| format!("the webhook of {} is not removed: {failure}", hook.owner())));
                continue;
            }
        };
        let env = Env::new(github, store.clone(), Arc::new(crate::runner::LocalQueue::default()), Arc::new(SystemClock), chosen.settings.clone()).alone();
        for hook in of {
            match patiently(&env, || hooks::delete(&env, &hook)).await {
                Ok(_) => eprintln!("webhook of {}: removed", hook.owner()),
                Err(error) => left.push(format!("the webhook of {} is not removed: {error}", hook.owner())),
            }
        }
    }
    Ok(left)
}

//! `sei-github`: the whole connector in one process, on an embedded table. Parses arguments, prints, and exits;
//! decides nothing.

// What works on a stack is still there without the feature, but nothing calls it.
#![cfg_attr(not(feature = "stack"), allow(dead_code))]

mod arguments;
mod authorize;
mod check;
mod config;
mod connect;
mod console;
mod demo;
mod device;
mod dialogue;
mod dlq;
#[cfg(feature = "stack")]
mod doctor;
mod events;
mod export;
mod failure;
mod import;
mod integrations;
#[cfg(feature = "stack")]
mod logs;
mod pause;
mod place;
mod plan;
mod progress;
mod report;
mod repos;
mod runner;
mod serve;
mod show;
mod source;
mod stack;
mod status;
mod sync;
#[cfg(feature = "stack")]
mod uninstall;
mod verify;
mod webhook;

use arguments::{Arguments, Command};
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(aws::levels("warn,engine::env=off,dynoxide=off")).with(lines).init();
    let local = matches!(arguments.command, Command::Sync(_) | Command::Serve(_) | Command::Demo(_) | Command::Schema | Command::Queries);
    let done = match arguments.command {
        _ if local && arguments.stack.is_some() => Err(Failure::Usage(
            "this command works on a directory, not on a stack: a stack copies by itself, as often as its ScheduleExpression says".to_owned(),
        )),
        Command::Connect(connect) => connect::run(connect).await,
        Command::Integrations(command) => integrations::run(command).await,
        Command::Sync(sync) => sync::run(sync).await,
        Command::Authorize(authorize) => authorize::run(authorize).await,
        Command::Check(check) => check::run(check).await,
        Command::Plan(plan) => plan::run(plan).await,
        Command::Repos(repos) => repos::run(repos).await,
        Command::Status(status) => status::run(status).await,
        Command::Verify(verify) => verify::run(verify).await,
        Command::Export(export) => export::run(export).await,
        Command::Import(import) => import::run(import).await,
        Command::Serve(serve) => serve::run(serve).await,
        Command::Events(events) => events::run(events).await,
        Command::Report(report) => report::run(report).await,
        Command::Webhook(command) => webhook::run(command).await,
        Command::Pause(paused) => pause::run(paused, true).await,
        Command::Resume(paused) => pause::run(paused, false).await,
        Command::Dlq(command) => dlq::run(command).await,
        #[cfg(feature = "stack")]
        Command::Logs(logs) => logs::run(logs).await,
        #[cfg(feature = "stack")]
        Command::Doctor(doctor) => doctor::run(doctor).await,
        #[cfg(feature = "stack")]
        Command::Uninstall(uninstall) => uninstall::run(uninstall).await,
        #[cfg(not(feature = "stack"))]
        Command::Logs(_) | Command::Doctor(_) | Command::Uninstall(_) => Err(stack::left_out()),
        Command::Console(console) => console::run(console).await,
        Command::Demo(demo) => demo::run(demo).await,
        Command::Schema => show::schema(),
        Command::Queries => show::queries(),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("sei-github: {failure}");
            failure.code()
        }
    }
}

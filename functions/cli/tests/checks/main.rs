//! `check` as its user meets it: one test for each finding and how it comes out. Drives the built program against the
//! simulated GitHub.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, as it should")]

mod organization;
mod output;
mod server;
mod token;

use serde_json::Value;
use sim::{GitHub, Identity, Size, World};
use std::process::{Command, Output, Stdio};

const TOKEN: &str = "ghp_canary0123456789abcdef";

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sei-github"));
    command.args(arguments).env_clear().env("GITHUB_TOKEN", TOKEN).stdin(Stdio::null());
    command
}

/// Runs to the end without blocking the simulation in this process. Nothing that is ever printed shows a token.
async fn run(mut command: Command) -> (i32, String, String) {
    let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!out.contains("canary") && !err.contains("canary"), "{out}{err}");
    (output.status.code().unwrap_or(-1), out, err)
}

/// A GitHub with an organization `acme`, whose repositories are private, and the token.
async fn github(identity: Identity) -> GitHub {
    let github = GitHub::start(World::seeded(7, Size::SMALL)).await.unwrap();
    github.world().repos.iter_mut().for_each(|repo| repo["isPrivate"] = Value::Bool(true));
    know(&github, TOKEN, identity);
    github
}

fn know(github: &GitHub, token: &str, identity: Identity) {
    let mut faults = github.faults();
    faults.tokens.push(token.to_owned());
    faults.identities.insert(token.to_owned(), identity);
}

/// A fine-grained token that may read everything.
fn fine_grained() -> Identity {
    let permissions = ["issues", "pull_requests", "contents", "deployments", "actions", "members"].map(str::to_owned).to_vec();
    Identity { scopes: None, permissions, ..Identity::default() }
}

fn scopes(scopes: &[&str]) -> Identity {
    Identity { scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()), ..Identity::default() }
}

struct Checked {
    code: i32,
    report: Value,
}

impl Checked {
    fn all(&self, code: &str) -> Vec<&Value> {
        self.report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code).collect()
    }

    fn one(&self, code: &str) -> &Value {
        self.all(code).first().copied().unwrap_or_else(|| panic!("no {code} in {:#}", self.report))
    }

    fn outcome(&self, code: &str) -> &str {
        self.one(code)["outcome"].as_str().unwrap()
    }

    /// What is said, what it costs, what to do.
    fn says(&self, code: &str) -> String {
        let finding = self.one(code);
        ["message", "costs", "remedy"].map(|field| finding[field].as_str().unwrap_or_default()).join(" | ")
    }

    /// That nothing else went wrong.
    fn only(&self, codes: &[&str]) {
        let wrong: Vec<&str> = self.report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|finding| finding["outcome"] == "fail")
            .map(|finding| finding["code"].as_str().unwrap())
            .collect();
        assert_eq!(wrong, codes, "{:#}", self.report);
    }
}

async fn finish(command: Command) -> Checked {
    let (code, out, err) = run(command).await;
    let report = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    Checked { code, report }
}

fn asking(github: &GitHub, more: &[&str]) -> Command {
    let url = github.url.clone();
    let mut all = vec!["check", "--org", "acme", "--api-url", &url, "--json"];
    all.extend(more);
    program(&all)
}

async fn check(github: &GitHub, more: &[&str]) -> Checked {
    finish(asking(github, more)).await
}

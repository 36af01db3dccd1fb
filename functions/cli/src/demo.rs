//! `demo`: the main job without a GitHub: a simulated one, copied for real, twice, and shown beside its truth.

use crate::arguments::Demo;
use crate::failure::Failure;
use crate::sync::{copy, groups};
use engine::{Settings, Store, Tokens, entities};
use github::{ApiUrl, Token};
use sim::{GitHub, Size, World};
use std::process::ExitCode;

pub(crate) async fn run(arguments: Demo) -> Result<ExitCode, Failure> {
    let world = match arguments.size.as_str() {
        "organization" => World::seeded(7, &Size::organization()),
        "one-repo" => World::seeded(7, Size::ONE),
        _ => World::seeded(7, Size::SMALL),
    };
    let github = GitHub::start(world).await?;
    github.faults().latency_ms = arguments.latency_ms;
    github.faults().limit = Some(100_000);
    let dir = &arguments.data_dir;
    if dir.exists() {
        // Ids of the simulation repeat themselves; yesterday's demo would look like tomorrow's news.
        let ours = dir.join("sei-github.sqlite").exists();
        if !ours && std::fs::read_dir(dir)?.next().is_some() {
            return Err(Failure::Usage(format!("{} holds something else than a demo. Choose another with --data-dir", dir.display())));
        }
        std::fs::remove_dir_all(dir)?;
    }
    let settings = Settings { orgs: vec!["acme".to_owned()], groups: groups(&arguments.fetch)?, ..Settings::default() };
    let table = aws::Embedded::open(dir).await?;
    let client = || Ok::<_, Failure>(Tokens::new(ApiUrl::parse(&github.url)?, vec![Token::new("sim-token")?])?);
    eprintln!("A simulated GitHub serves the organization `acme`. First sync:");
    let code = copy(client()?, settings.clone(), &table).await?;
    let first = github.ledger();
    github.reset_ledger();
    eprintln!("Nothing has changed since. Second sync:");
    copy(client()?, settings, &table).await?;
    let second = github.ledger();
    let equal = compare(&table.store(), &github, arguments.fetch.is_empty()).await?;
    table.shutdown().await;
    println!("first sync   {:>6} requests {:>6} points", first.requests, first.points);
    println!("second sync  {:>6} requests {:>6} points, {} unchanged by validator", second.requests, second.points, second.not_modified);
    println!("\nLook at it:  sei-github status --data-dir {0}\n             sei-github export pull_requests --data-dir {0}", dir.display());
    Ok(if equal { code } else { ExitCode::FAILURE })
}

async fn compare(store: &dyn Store, github: &GitHub, all: bool) -> Result<bool, Failure> {
    let truth = github.world().truth();
    let mut equal = true;
    println!("{:<22} {:>8} {:>8}", "entity", "copied", "GitHub");
    for entity in entities::ALL {
        let mut rows = 0;
        for scope in store.scopes(entity).await? {
            rows += store.count(entity, scope).await?;
        }
        let there = truth.get(entity.name).and_then(serde_json::Value::as_u64);
        let differs = there.is_some_and(|there| there != rows);
        equal &= !differs;
        let there = there.map_or_else(|| "-".to_owned(), |there| there.to_string());
        println!("{:<22} {rows:>8} {there:>8}{}", entity.name, if differs && all { "  differs" } else { "" });
    }
    Ok(equal || !all)
}

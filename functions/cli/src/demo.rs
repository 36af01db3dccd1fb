//! `demo`: the main job without a GitHub: a simulated one, copied for real, three times, and shown beside its truth.

mod push;

use crate::arguments::Demo;
use crate::console::serve;
use crate::failure::Failure;
use crate::place::{Copy, Place};
use crate::progress::Progress;
use crate::sync::{copy, groups};
use console::Practice;
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
    let mut meter = Meter { github: &github, table: &table, settings, rows: 0, lines: Vec::new() };
    eprintln!("A simulated GitHub serves the organization `acme`. First sync:");
    let code = meter.sync("first sync", client()?).await?;
    eprintln!("Nothing has changed since. Second sync:");
    meter.sync("second sync, nothing changed", client()?).await?;
    let changed = github.world().change_one_percent();
    eprintln!("{changed} pull requests, issues and commits are changed or new. Third sync:");
    meter.sync(&format!("third sync, {changed} items changed"), client()?).await?;
    let (lines, settings) = (meter.lines, meter.settings);
    let equal = compare(&table.store(), &github, arguments.fetch.is_empty()).await?;
    println!("\n{:<34} {:>8} {:>8} {:>8} {:>10} {:>8} {:>10}", "", "requests", "GraphQL", "REST", "of it 304", "points", "rows");
    lines.iter().for_each(|line| println!("{line}"));
    if settings.wants(engine::Group::Projects) {
        push::show(&github, &table, settings, client()?).await?;
    }
    println!(
        "\nLook at it:  sei-github status --data-dir {0}\n             sei-github export pull_requests --data-dir {0}\n             sei-github report issue-stages --data-dir {0}\nIn a browser: sei-github console --data-dir {0}\n             sei-github demo --console                     with the simulated GitHub, to install a connector",
        dir.display()
    );
    if arguments.console {
        let practice = Practice { api_url: github.url.clone(), token: "sim-token".to_owned(), client_id: github.doors().oauth.client_id.clone() };
        return serve(&Place::Directory(dir.clone()), Copy::Embedded(table), (arguments.port, false), Some(practice)).await;
    }
    table.shutdown().await;
    Ok(if equal { code } else { ExitCode::FAILURE })
}

/// Syncs, and notes what it cost by GitHub's own ledger, and the rows that it wrote.
struct Meter<'a> {
    github: &'a GitHub,
    table: &'a aws::Embedded,
    settings: Settings,
    /// Written so far.
    rows: u64,
    lines: Vec<String>,
}

impl Meter<'_> {
    async fn sync(&mut self, what: &str, client: Tokens) -> Result<ExitCode, Failure> {
        self.github.reset_ledger();
        let code = copy(client, self.settings.clone(), self.table, &mut Progress::new()).await?.code;
        let written = engine::status(&self.table.store(), jiff::Timestamp::now()).await?.written;
        let rows = written.created + written.updated + written.removed;
        let spent = self.github.ledger();
        self.lines.push(format!(
            "{what:<34} {:>8} {:>8} {:>8} {:>10} {:>8} {:>10}",
            spent.requests,
            spent.graphql,
            spent.rest,
            spent.not_modified,
            spent.points,
            rows - self.rows
        ));
        self.rows = rows;
        Ok(code)
    }
}

async fn compare(store: &dyn Store, github: &GitHub, all: bool) -> Result<bool, Failure> {
    let truth = github.world().truth();
    let mut equal = true;
    println!("{:<22} {:>8} {:>8}", "entity", "copied", "GitHub");
    // What follows from other rows is in no table.
    for entity in entities::ALL.iter().filter(|entity| **entity != &entities::STAGE_TRANSITIONS) {
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

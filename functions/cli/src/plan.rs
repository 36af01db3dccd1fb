//! `plan`: what a first sync would take, before anything is fetched. Prints what the engine estimates; keeps nothing.

use crate::arguments::Plan;
use crate::failure::Failure;
use crate::repos::passing;
use engine::{Charge, Window};
use serde_json::Value;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

pub(crate) async fn run(arguments: Plan) -> Result<ExitCode, Failure> {
    let place = arguments.place.find().await?;
    let chosen = arguments.source.one(&arguments.groups, &place).await?;
    let (env, table) = passing(&chosen, &place).await?;
    let plan = engine::plan(&env).await;
    table.shutdown().await;
    let plan = plan?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if arguments.json {
        let mut all = serde_json::to_value(&plan).map_err(std::io::Error::from)?;
        if let Value::Object(all) = &mut all
            && !arguments.per_repository
        {
            all.remove("per_repository");
        }
        serde_json::to_writer_pretty(&mut out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        print(&plan, arguments.per_repository, &mut out)?;
    }
    out.flush()?;
    for missing in &plan.missing {
        eprintln!("missing: {missing}");
    }
    Ok(if plan.missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(plan: &engine::Plan, per_repository: bool, out: &mut impl Write) -> std::io::Result<()> {
    let engine::Plan { repositories, empty, left_out, .. } = plan;
    writeln!(out, "{}: {repositories} repositories, {empty} of them empty; {left_out} not selected\n", plan.organizations.join(", "))?;
    for entity in &plan.entities {
        writeln!(out, "{:<22} {:>2}{:>10}", entity.entity, if entity.estimated { "~" } else { "" }, entity.rows)?;
    }
    writeln!(out, "(~: estimated; the others are GitHub's totals)\n\nA first sync takes {}", told(plan.first_sync))?;
    for (sweep, charge) in &plan.by_sweep {
        writeln!(out, "  {sweep:<20} {}", told(*charge))?;
    }
    if let Some(git) = &plan.files_from_git {
        writeln!(
            out,
            "  (files of commits come from git itself: at most {} MB, the largest repository {} MB, instead of {} requests; --files-from says otherwise)",
            git.megabytes, git.largest_megabytes, git.requests_saved
        )?;
    }
    writeln!(out)?;
    for token in &plan.tokens {
        writeln!(
            out,
            "token {}: {} REST, {} GraphQL; {} with it alone",
            token.token,
            window(token.rest.as_ref()),
            window(token.graphql.as_ref()),
            hours(token.hours)
        )?;
    }
    if plan.tokens.len() > 1 {
        writeln!(out, "{} with the {} tokens together", hours(plan.hours), plan.tokens.len())?;
    }
    let aws = &plan.aws;
    writeln!(
        out,
        "\nIn AWS: {} rows, {} write units, {:.2} GB; ${:.2} for the first sync, then ${:.2} a month (${:.2} if nothing happens):",
        aws.rows, aws.write_units, aws.gigabytes, aws.first_sync_usd, aws.monthly_usd, aws.idle_usd
    )?;
    for item in &aws.monthly {
        let quantity = if item.quantity < 10.0 { format!("{:.2}", item.quantity) } else { format!("{:.0}", item.quantity) };
        writeln!(out, "  ${:>8.2}  {quantity} {}", item.usd, item.what)?;
    }
    if per_repository {
        writeln!(out)?;
        for repo in &plan.per_repository {
            let rows: u64 = repo.rows.values().sum();
            writeln!(out, "{:<50} {rows:>9} rows, {}{}", repo.repo, told(repo.first_sync), if repo.sampled { ", looked at" } else { "" })?;
        }
    }
    writeln!(out, "\nAssumed:")?;
    for assumption in &plan.assumptions {
        writeln!(out, "  {assumption}")?;
    }
    writeln!(out, "\nThis plan took {}", told(plan.spent))
}

fn told(charge: Charge) -> String {
    format!("{} requests ({} GraphQL, {} REST), {} points", charge.requests, charge.graphql, charge.rest, charge.points)
}

fn window(window: Option<&Window>) -> String {
    window.map_or_else(|| "no limit".to_owned(), |window| format!("{} now and {} an hour", window.now, window.hourly))
}

fn hours(hours: f64) -> String {
    if hours < 1.0 { format!("{:.0} min", (hours * 60.0).ceil()) } else { format!("{hours:.1} h") }
}

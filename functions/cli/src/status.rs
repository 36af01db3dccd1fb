//! `status`: how each repository and entity of the copy stands, in few lines for people unless they ask for more, and
//! wholly for programs. Asks nobody.

use crate::arguments::Status;
use crate::failure::Failure;
use crate::source::matcher;
use engine::{Clock, Credentials, EntityStatus, RepositoryStatus, Standing, Sum, SystemClock, expiring, integration};
use std::io::{BufWriter, Write};
use std::process::ExitCode;

/// So many repositories are all shown; of more, those of which something is missing.
const FEW: usize = 10;
/// Of those, so many.
const SHOWN: usize = 25;

pub(crate) async fn run(arguments: Status) -> Result<ExitCode, Failure> {
    let takes = matcher(&arguments.repo)?;
    let place = arguments.place.find().await?;
    if !arguments.json && !place.is_there() {
        println!("Nothing is in {place} yet. Run `sei-github sync --org ORG` or `sei-github demo`.");
        return Ok(ExitCode::SUCCESS);
    }
    let table = place.join().await?;
    let (store, now) = (table.store(), SystemClock.now());
    let status = if arguments.exact { engine::exactly(&store, now).await } else { engine::status(&store, now).await };
    let installed = integration::integrations(&store).await;
    table.shutdown().await;
    let mut status = status?;
    for one in installed?.iter().filter(|one| one.credentials == Credentials::Stored) {
        let (vault, name) = place.vault(&one.name)?;
        let kept = vault.read(&name).await?.credentials;
        let ending = expiring(&kept, now);
        if !ending.is_empty() {
            status.expiring.insert(one.name.clone(), ending);
        }
    }
    status.repositories.retain(|repo| takes(&repo.repo));
    status.projects.retain(|project| takes(&project.repo));
    let mut out = BufWriter::new(std::io::stdout().lock());
    let told = if arguments.json {
        serde_json::to_writer_pretty(&mut out, &status).map_err(std::io::Error::from).and_then(|()| writeln!(out))
    } else {
        tell(&mut out, &status, arguments.all || !arguments.repo.is_empty())
    };
    match told.and_then(|()| out.flush()) {
        // Whoever read us has had enough: `status --all | head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        other => Ok(other.map(|()| ExitCode::SUCCESS)?),
    }
}

/// Within 14 days of its end.
fn ending(expires: Option<jiff::Timestamp>, now: jiff::Timestamp) -> Option<String> {
    let expires = expires.filter(|expires| expires.duration_since(now) <= jiff::SignedDuration::from_hours(14 * 24))?;
    let days = expires.duration_since(now).as_hours() / 24;
    Some(if expires <= now {
        format!("the token ended at {expires:.0}: set a new one")
    } else {
        format!("the token ends at {expires:.0}, in {days} days: make a new one before")
    })
}

fn tell(out: &mut impl Write, status: &engine::Status, all: bool) -> std::io::Result<()> {
    if status.repositories.is_empty() && status.organizations.is_empty() {
        return writeln!(out, "Nothing is here yet. Run `sei-github sync --org ORG` or `sei-github demo`.");
    }
    for organization in &status.organizations {
        let left_out = if organization.left_out > 0 { format!(", {} not selected", organization.left_out) } else { String::new() };
        let last = organization.last_success.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
        writeln!(out, "{}: {} repositories{left_out}, last looked at {last}", organization.organization, organization.repositories)?;
        if let Some(since) = organization.since {
            writeln!(out, "    only what changed since {since:.0} was asked for")?;
        }
        if !organization.lacks.is_empty() {
            let lacks: Vec<&str> = organization.lacks.iter().map(String::as_str).collect();
            writeln!(out, "    its server is older and does not know: {}", lacks.join(", "))?;
        }
        if let Some(line) = ending(organization.token_expires, jiff::Timestamp::now()) {
            writeln!(out, "    {line}")?;
        }
        for missing in &organization.missing {
            writeln!(out, "    missing: {missing}")?;
        }
    }
    for (name, all) in &status.expiring {
        for one in all {
            writeln!(out, "{name}: {} ends at {:.0}: renew it with `sei-github authorize --name {name}` or connect again", one.what, one.at)?;
        }
    }
    let lacking: Vec<&RepositoryStatus> = status.repositories.iter().filter(|repo| !repo.is_whole()).collect();
    let gone = status.repositories.iter().filter(|repo| repo.gone).count();
    let many = status.repositories.len() > FEW;
    if all || !many {
        for repo in &status.repositories {
            tell_repository(out, repo, true)?;
        }
    } else {
        sums(out, &status.repositories)?;
        for repo in lacking.iter().take(SHOWN) {
            tell_repository(out, repo, false)?;
        }
        if lacking.len() > SHOWN {
            writeln!(out, "and {} more that are not complete: --all shows every repository, --repo GLOB some", lacking.len() - SHOWN)?;
        }
    }
    let wanting = status.projects.iter().filter(|project| all || !project.is_whole()).collect::<Vec<_>>();
    for project in wanting.iter().take(SHOWN) {
        tell_repository(out, project, all)?;
    }
    let gone_ones = if gone > 0 { format!(", {gone} gone from GitHub (the copy stays)") } else { String::new() };
    let whole = status.repositories.len() - lacking.len() - gone;
    writeln!(out, "{} repositories: {whole} complete, {} not{gone_ones}", status.repositories.len(), lacking.len())?;
    if !status.projects.is_empty() {
        let whole = status.projects.iter().filter(|project| project.is_whole()).count();
        writeln!(out, "{} projects: {whole} complete or gone", status.projects.len())?;
    }
    writeln!(out, "{} users", status.users)?;
    writeln!(out, "spent in all: {} requests, {} points", status.spent.requests, status.spent.points)?;
    for silent in &status.silent {
        writeln!(out, "{silent}. GitHub may have changed how it sends them: a newer version of this program may know")?;
    }
    for limit in &status.limits {
        writeln!(out, "waiting until {:.0}: token {} ({}), {}", limit.until, limit.token, limit.resource, limit.why)?;
    }
    Ok(())
}

/// Rows of each entity, and in how many repositories it stands how.
fn sums(out: &mut impl Write, repositories: &[RepositoryStatus]) -> std::io::Result<()> {
    for (entity, Sum { rows, total, told, standings }) in engine::sums(repositories) {
        let total = if told && (total > 0 || rows == 0) { format!(" of {total}") } else { String::new() };
        let standings: Vec<String> = standings.iter().map(|(standing, count)| format!("{count} {}", standing.name())).collect();
        writeln!(out, "  {entity:<22} {rows:>10}{total:<12} {}", standings.join(", "))?;
    }
    Ok(())
}

fn tell_repository(out: &mut impl Write, repo: &RepositoryStatus, whole: bool) -> std::io::Result<()> {
    writeln!(out, "{}{}", repo.repo, if repo.gone { "  (gone from GitHub; the copy stays)" } else { "" })?;
    let shown = |entity: &&EntityStatus| {
        let something = entity.rows > 0 || !(repo.gone || matches!(entity.state, Standing::Empty | Standing::SwitchedOff));
        if whole { something } else { !entity.state.is_whole() || !entity.missing.is_empty() }
    };
    for entity in repo.entities.iter().filter(shown) {
        let total = entity.total.map(|total| format!(" of {total}")).unwrap_or_default();
        let success = entity.last_success.map(|at| format!(", last read {at:.0}")).unwrap_or_default();
        writeln!(out, "  {:<22} {:>8}{:<10} {}{}{success}", entity.entity, entity.rows, total, entity.state.name(), entity.details())?;
        if let Some(error) = &entity.error {
            writeln!(out, "    {}: {}", error.code, error.message)?;
        }
        for missing in &entity.missing {
            writeln!(out, "    missing: {missing}")?;
        }
    }
    Ok(())
}

//! `check`: asks the engine what works, and prints it: a line for each finding with what to do about it, or JSON.

use crate::arguments::Check;
use crate::failure::Failure;
use crate::place::Place;
use crate::source::Chosen;
use engine::SystemClock;
use engine::check::{CODES, Finding, Outcome, Report, Verdict, Way, check};
use github::ApiUrl;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

pub(crate) async fn run(arguments: Check) -> Result<ExitCode, Failure> {
    if arguments.list {
        print!("{}", list());
        return Ok(ExitCode::SUCCESS);
    }
    let login = |org: &&String| !org.is_empty() && org.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    let source = &arguments.source;
    if let Some(wrong) = source.org.iter().find(|org| !login(org)) {
        return Err(Failure::Usage(format!("`{wrong}` is not the login of an organization: give the last part of https://github.com/LOGIN")));
    }
    let place = arguments.place.find().await?;
    let chosen = source.one(&arguments.groups, &place).await?;
    let report = look(&chosen, &place).await?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &report).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        tell(&mut out, &report, is_coloured(&std::io::stdout()))?;
    }
    Ok(code(report.verdict))
}

/// Asks GitHub whether what was chosen can work.
pub(crate) async fn look(chosen: &Chosen, place: &Place) -> Result<Report, Failure> {
    let way = Way { proxy: proxy(&chosen.url), private_ca: chosen.ca.is_some() };
    Ok(check(&chosen.tokens(place).await?, &chosen.settings, &way, &SystemClock).await?)
}

pub(crate) fn code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Works => ExitCode::SUCCESS,
        Verdict::Unauthenticated => ExitCode::from(4),
        Verdict::Fails => ExitCode::FAILURE,
    }
}

pub(crate) fn is_coloured(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The proxy that the client will use, found by the same rules; never with its password.
pub(crate) fn proxy(url: &ApiUrl) -> Option<String> {
    let used = hyper_util::client::proxy::matcher::Matcher::from_env().intercept(&url.rest().as_str().parse().ok()?)?;
    let uri = used.uri();
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", uri.scheme_str().unwrap_or("http"), uri.host()?))
}

pub(crate) fn tell(out: &mut impl Write, report: &Report, colour: bool) -> std::io::Result<()> {
    let several = {
        let mut tokens: Vec<&String> = report.findings.iter().filter_map(|finding| finding.token.as_ref()).collect();
        tokens.dedup();
        tokens.len() > 1
    };
    for finding in &report.findings {
        let token = finding.token.as_ref().filter(|_| several).map(|token| format!("token {token}: ")).unwrap_or_default();
        writeln!(out, "{} {:<26} {token}{}", mark(finding, colour), finding.code, finding.message)?;
        for (word, text) in [("costs", &finding.costs), ("do", &finding.remedy)] {
            if let Some(text) = text {
                writeln!(out, "         {word:>5}: {text}")?;
            }
        }
    }
    let count = |outcome| report.findings.iter().filter(|finding| finding.outcome == outcome).count();
    let verdict = match report.verdict {
        Verdict::Works => "what was chosen can work",
        Verdict::Unauthenticated => "GitHub does not accept the token",
        Verdict::Fails => "what was chosen cannot work, or not wholly",
    };
    let (warned, failed) = (count(Outcome::Warn), count(Outcome::Fail));
    writeln!(out, "{verdict}: {} passed, {warned} warnings, {failed} failed; {} requests", count(Outcome::Pass), report.requests)
}

fn mark(finding: &Finding, colour: bool) -> String {
    let (code, text) = match finding.outcome {
        Outcome::Pass => (32, "✓ pass"),
        Outcome::Warn => (33, "! warn"),
        Outcome::Fail => (31, "✗ fail"),
    };
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// CHECKS.md.
fn list() -> String {
    let mut text = "# Findings of `sei-github check`\n\nMade by `sei-github check --list`; a test keeps it so. Each passes, warns or fails; `--json` prints them as\n\
        `{\"verdict\": \"works\" | \"unauthenticated\" | \"fails\", \"requests\": N, \"findings\": [{\"code\", \"outcome\", \"token\", \"organization\", \"message\",\n\
        \"costs\", \"remedy\"}]}`, where `token` is a fingerprint. Codes are stable, messages are not. `scope.*` is for tokens with scopes, `permission.*`\n\
        for the others.\n\n| code | passes if | otherwise costs |\n|---|---|---|\n"
        .to_owned();
    for code in CODES {
        text.push_str(&format!("| {} | {} | {} |\n", code.name, code.about, code.costs));
    }
    text
}

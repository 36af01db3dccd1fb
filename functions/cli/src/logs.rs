//! `logs`: what a deployed stack's functions say, in one order. Reads CloudWatch Logs; interprets nothing but the level.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>

use crate::arguments::Logs;
use crate::failure::Failure;
use crate::stack::refused;
use aws_sdk_cloudwatchlogs::Client;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

/// Between two looks with `--follow`.
const PAUSE: Duration = Duration::from_secs(2);
/// CloudWatch may show an event so much later than others of its time.
const LATE: SignedDuration = SignedDuration::from_secs(30);

struct Line {
    at: Timestamp,
    function: String,
    id: String,
    text: String,
}

pub(crate) async fn run(arguments: Logs) -> Result<ExitCode, Failure> {
    let back = arguments.since.parse::<jiff::Span>().ok().and_then(|span| span.to_duration(jiff::civil::date(2000, 1, 1)).ok());
    let Some(back) = back.filter(|back| back.is_positive()) else {
        return Err(Failure::Usage(format!("`{}` is no length of time. Write 90m, 12h or 3d", arguments.since)));
    };
    let stack = arguments.stack.find().await?;
    let mut groups: BTreeMap<String, String> = stack.resources("AWS::Logs::LogGroup").await?;
    // The template names a function's log group after it: FetcherLogs.
    groups.retain(|name, _| arguments.function.is_empty() || arguments.function.iter().any(|function| name.eq_ignore_ascii_case(&format!("{function}Logs"))));
    if groups.is_empty() {
        return Err(Failure::Usage(format!("the stack {} has no logs of {}", stack.name, arguments.function.join(", "))));
    }
    let client = Client::new(&stack.aws);
    let mut from = Timestamp::now().checked_sub(back).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut shown: HashSet<String> = HashSet::new();
    loop {
        let began = Timestamp::now();
        let mut lines = Vec::new();
        for (name, group) in &groups {
            lines.extend(read(&client, name, group, from).await?);
        }
        lines.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        let mut out = std::io::stdout().lock();
        for line in lines.iter().filter(|line| !shown.contains(&line.id)) {
            match print(&mut out, line, arguments.json) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                other => other?,
            }
        }
        if !arguments.follow {
            return Ok(ExitCode::SUCCESS);
        }
        shown = lines.into_iter().map(|line| line.id).collect();
        from = began.checked_sub(LATE).unwrap_or(began).max(from);
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        }
    }
}

async fn read(client: &Client, name: &str, group: &str, from: Timestamp) -> Result<Vec<Line>, Failure> {
    let function = name.strip_suffix("Logs").unwrap_or(name).to_lowercase();
    let mut lines = Vec::new();
    let mut pages = client.filter_log_events().log_group_name(group).start_time(from.as_millisecond()).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| refused(&format!("the logs of {function} cannot be read"), &error))?;
        for event in page.events.unwrap_or_default() {
            let at = event.timestamp.and_then(|millis| Timestamp::from_millisecond(millis).ok()).unwrap_or_default();
            let text = event.message.unwrap_or_default().trim_end().to_owned();
            let id = event.event_id.unwrap_or_else(|| format!("{at} {function} {text}"));
            lines.push(Line { at, function: function.clone(), id, text });
        }
    }
    Ok(lines)
}

fn print(out: &mut impl Write, line: &Line, json: bool) -> std::io::Result<()> {
    let parsed: Option<Map<String, Value>> = serde_json::from_str(&line.text).ok();
    if json {
        let fields = parsed.unwrap_or_else(|| Map::from_iter([("message".to_owned(), Value::from(line.text.as_str()))]));
        let all = serde_json::json!({ "at": line.at, "function": line.function, "fields": fields });
        return writeln!(out, "{all}");
    }
    // Metrics are lines, too, but nothing to read.
    let Some(parsed) = parsed.filter(|parsed| parsed.contains_key("level")) else {
        return if line.text.contains("\"_aws\":") { Ok(()) } else { writeln!(out, "{:.3}  {:<9}        {}", line.at, line.function, line.text) };
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = parsed.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
    let message = fields.get("message").map(text).unwrap_or_default();
    let others: Vec<String> = fields.iter().filter(|(name, _)| *name != "message").map(|(name, value)| format!("{name}={}", text(value))).collect();
    let level = parsed.get("level").map(text).unwrap_or_default();
    writeln!(out, "{:.3}  {:<9}  {level:<5}  {message}  {}", line.at, line.function, others.join(" "))
}

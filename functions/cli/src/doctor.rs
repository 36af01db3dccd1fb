//! `doctor`: whether a deployed stack is well, and what to do about each thing that is not. Looks only.

use crate::arguments::Doctor;
use crate::check::is_coloured;
use crate::failure::Failure;
use crate::stack::{Stack, refused};
use aws_sdk_cloudformation::types::{StackDriftDetectionStatus, StackDriftStatus, StackResourceDriftStatus};
use aws_sdk_cloudwatch::types::{StateValue, Statistic};
use aws_sdk_sqs::types::QueueAttributeName;
use engine::{Clock, Standing, SystemClock, Vault, integration};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

/// Detecting drift takes CloudFormation some seconds a resource.
const PATIENCE: u32 = 60;
/// What has not come any further for so long is stuck.
const STUCK: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    /// Nobody can tell.
    Unknown,
    Bad,
}

#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do; empty if nothing is.
    remedy: String,
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Good, found: found.into(), remedy: String::new() }
    }

    fn bad(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Bad, found: found.into(), remedy: remedy.into() }
    }

    /// One thing that cannot be looked at does not hide the others.
    fn of(what: &'static str, looked: Result<Self, Failure>) -> Self {
        looked.unwrap_or_else(|failure| Self { what, verdict: Verdict::Unknown, found: failure.to_string(), remedy: String::new() })
    }
}

pub(crate) async fn run(arguments: Doctor) -> Result<ExitCode, Failure> {
    let stack = arguments.stack.find().await?;
    let all = [
        deployment(&stack),
        version(&stack),
        Finding::of("drift", if arguments.no_drift { Ok(Finding::good("drift", "not looked for")) } else { drift(&stack).await }),
        Finding::of("token", token(&stack).await),
        Finding::of("alarms", alarms(&stack).await),
        Finding::of("dead letters", dead(&stack).await),
        Finding::of("oldest message", oldest(&stack).await),
        Finding::of("copy", copy(&stack).await),
    ];
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        tell(&mut out, &all, is_coloured(&std::io::stdout()))?;
    }
    Ok(if all.iter().any(|finding| finding.verdict == Verdict::Bad) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn deployment(stack: &Stack) -> Finding {
    let state = &stack.state;
    if state.ends_with("_COMPLETE") && !state.contains("ROLLBACK") && !state.starts_with("DELETE") {
        return Finding::good("deployment", state.as_str());
    }
    Finding::bad("deployment", state.as_str(), format!("Look at the events of the stack {} in CloudFormation, and deploy again", stack.name))
}

fn version(stack: &Stack) -> Finding {
    let ours = env!("CARGO_PKG_VERSION");
    match stack.output("Version") {
        Ok(theirs) if theirs == ours => Finding::good("version", ours),
        Ok(theirs) => Finding::bad("version", format!("the stack is of version {theirs}, this command of {ours}"), "Use the same version of both"),
        Err(failure) => Finding::of("version", Err(failure)),
    }
}

async fn drift(stack: &Stack) -> Result<Finding, Failure> {
    let client = aws_sdk_cloudformation::Client::new(&stack.aws);
    let begun = client.detect_stack_drift().stack_name(&stack.name).send().await;
    let id = begun.map_err(|error| refused("drift cannot be detected", &error))?.stack_drift_detection_id.unwrap_or_default();
    for _ in 0..PATIENCE {
        let told = client.describe_stack_drift_detection_status().stack_drift_detection_id(&id).send().await;
        let told = told.map_err(|error| refused("drift cannot be detected", &error))?;
        match told.detection_status {
            Some(StackDriftDetectionStatus::DetectionInProgress) => tokio::time::sleep(Duration::from_secs(1)).await,
            Some(StackDriftDetectionStatus::DetectionComplete) if told.stack_drift_status == Some(StackDriftStatus::InSync) => {
                return Ok(Finding::good("drift", "every resource is as the template says"));
            }
            Some(StackDriftDetectionStatus::DetectionComplete) => return drifted(&client, stack).await,
            _ => return Err(Failure::Failed(told.detection_status_reason.unwrap_or_else(|| "CloudFormation could not detect drift".to_owned()))),
        }
    }
    Err(Failure::Failed(format!("CloudFormation was still detecting drift after {PATIENCE} s")))
}

async fn drifted(client: &aws_sdk_cloudformation::Client, stack: &Stack) -> Result<Finding, Failure> {
    let request = client.describe_stack_resource_drifts().stack_name(&stack.name);
    let request = request.stack_resource_drift_status_filters(StackResourceDriftStatus::Modified);
    let told = request.stack_resource_drift_status_filters(StackResourceDriftStatus::Deleted).send().await;
    let told = told.map_err(|error| refused("what drifted cannot be listed", &error))?;
    let names: Vec<String> = told.stack_resource_drifts.unwrap_or_default().into_iter().filter_map(|one| one.logical_resource_id).collect();
    Ok(Finding::bad("drift", format!("changed by hand: {}", names.join(", ")), "Deploy the template again, or put the change into it"))
}

async fn token(stack: &Stack) -> Result<Finding, Failure> {
    let secret = stack.output("TokenSecret")?;
    let kept = stack.vault().read(secret).await?;
    let ending = engine::expiring(&kept.credentials, SystemClock.now());
    Ok(match (kept.credentials.len(), ending.first()) {
        (0, _) => Finding::bad("token", "there is none", format!("sei-github connect --stack {}", stack.name)),
        (_, Some(one)) => {
            Finding::bad("token", format!("{} ends at {:.0}", one.what, one.at), format!("sei-github connect --stack {} with a new one", stack.name))
        }
        (1, None) => Finding::good("token", "there is one"),
        (several, None) => Finding::good("token", format!("there are {several}")),
    })
}

async fn alarms(stack: &Stack) -> Result<Finding, Failure> {
    let ours: Vec<String> = stack.resources("AWS::CloudWatch::Alarm").await?.into_values().collect();
    if ours.is_empty() {
        return Ok(Finding::bad("alarms", "the stack has none", "Deploy this version's template"));
    }
    let client = aws_sdk_cloudwatch::Client::new(&stack.aws);
    let mut ringing = Vec::new();
    // CloudWatch takes a hundred names at once.
    for names in ours.chunks(100) {
        let told = client.describe_alarms().set_alarm_names(Some(names.to_vec())).state_value(StateValue::Alarm).send().await;
        let told = told.map_err(|error| refused("the alarms cannot be read", &error))?;
        ringing.extend(told.metric_alarms.unwrap_or_default().into_iter().filter_map(|alarm| alarm.alarm_name));
    }
    if ringing.is_empty() {
        return Ok(Finding::good("alarms", format!("none of {} rings", ours.len())));
    }
    Ok(Finding::bad("alarms", ringing.join(", "), "infra/RUNBOOK.md has a section for each"))
}

async fn dead(stack: &Stack) -> Result<Finding, Failure> {
    let client = aws_sdk_sqs::Client::new(&stack.aws);
    let mut count = 0_u64;
    for queue in ["DeadLetterQueueUrl", "DeadEventsQueueUrl"] {
        let request = client.get_queue_attributes().queue_url(stack.output(queue)?).attribute_names(QueueAttributeName::ApproximateNumberOfMessages);
        let told = request.send().await.map_err(|error| refused("the dead-letter queues cannot be counted", &error))?;
        let told = told.attributes.unwrap_or_default();
        count += told.get(&QueueAttributeName::ApproximateNumberOfMessages).and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    }
    if count == 0 {
        return Ok(Finding::good("dead letters", "none"));
    }
    let remedy = format!("sei-github dlq list --stack {0} tells which; once the cause is mended, sei-github dlq redrive --stack {0}", stack.name);
    Ok(Finding::bad("dead letters", count.to_string(), remedy))
}

async fn oldest(stack: &Stack) -> Result<Finding, Failure> {
    let client = aws_sdk_cloudwatch::Client::new(&stack.aws);
    let now = Timestamp::now();
    let time = |at: Timestamp| aws_sdk_cloudwatch::primitives::DateTime::from_secs(at.as_second());
    let mut ages = BTreeMap::new();
    for (name, output) in [("jobs", "QueueUrl"), ("events", "EventsQueueUrl")] {
        let queue = stack.output(output)?.rsplit('/').next().unwrap_or_default().to_owned();
        let dimension = aws_sdk_cloudwatch::types::Dimension::builder().name("QueueName").value(queue).build();
        let request = client.get_metric_statistics().namespace("AWS/SQS").metric_name("ApproximateAgeOfOldestMessage").dimensions(dimension);
        let request = request.start_time(time(now - SignedDuration::from_mins(15))).end_time(time(now)).period(300).statistics(Statistic::Maximum);
        let told = request.send().await.map_err(|error| refused("the age of the oldest message cannot be read", &error))?;
        let age = told.datapoints.unwrap_or_default().into_iter().filter_map(|point| point.maximum).fold(0.0_f64, f64::max);
        ages.insert(name, age);
    }
    let told: Vec<String> = ages.iter().map(|(name, age)| format!("{name} {:.0} min", age / 60.0)).collect();
    // Events are applied at once; a job may wait for the next hour of a token's budget, and longer in a first copy.
    if ages.get("events").is_some_and(|age| *age > 900.0) {
        let remedy = format!("sei-github logs --function receiver --stack {} tells why events are not applied", stack.name);
        return Ok(Finding::bad("oldest message", told.join(", "), remedy));
    }
    Ok(Finding::good("oldest message", told.join(", ")))
}

async fn copy(stack: &Stack) -> Result<Finding, Failure> {
    let (store, now) = (stack.store()?, SystemClock.now());
    let installed = integration::integrations(&store).await?;
    if installed.is_empty() && stack.settings().orgs.is_empty() {
        return Ok(Finding::bad("copy", "nothing is installed", format!("sei-github connect --stack {}", stack.name)));
    }
    if !installed.is_empty() && installed.iter().all(|one| one.paused) {
        return Ok(Finding::bad("copy", "every integration is paused", format!("sei-github resume --stack {}", stack.name)));
    }
    let status = engine::status(&store, now).await?;
    let is_stuck = |entity: &engine::EntityStatus| match entity.state {
        Standing::CatchingUp => entity.last_success.is_some_and(|at| now.duration_since(at) > STUCK),
        Standing::Failed => true,
        _ => false,
    };
    let all = status.repositories.iter().chain(&status.projects).filter(|repo| !repo.gone);
    let stuck: Vec<String> =
        all.flat_map(|repo| repo.entities.iter().filter(|entity| is_stuck(entity)).map(|entity| format!("{} of {}", entity.entity, repo.repo))).collect();
    let behind = status.organizations.iter().filter(|one| one.last_success.is_none_or(|at| now.duration_since(at) > STUCK));
    let behind: Vec<String> =
        behind.map(|one| format!("{} was last looked at {}", one.organization, one.last_success.map_or("never".to_owned(), |at| format!("{at:.0}")))).collect();
    if stuck.is_empty() && behind.is_empty() && status.silent.is_empty() {
        return Ok(Finding::good("copy", format!("{} repositories, nothing is stuck", status.repositories.len())));
    }
    let mut found: Vec<String> = behind;
    found.extend(stuck.iter().take(10).cloned());
    if stuck.len() > 10 {
        found.push(format!("and {} more", stuck.len() - 10));
    }
    found.extend(status.silent.iter().map(|silent| format!("{silent} (infra/RUNBOOK.md, SilentEntity)")));
    Ok(Finding::bad("copy", found.join("; "), format!("sei-github status --stack {0} tells why; sei-github logs --stack {0} what was tried", stack.name)))
}

fn tell(out: &mut impl Write, all: &[Finding], colour: bool) -> std::io::Result<()> {
    for Finding { what, verdict, found, remedy } in all {
        let (word, code) = match verdict {
            Verdict::Good => ("ok", "32"),
            Verdict::Unknown => ("?", "33"),
            Verdict::Bad => ("BAD", "31"),
        };
        let word = if colour && std::io::stdout().is_terminal() { format!("\u{1b}[{code}m{word:<4}\u{1b}[0m") } else { format!("{word:<4}") };
        writeln!(out, "{word} {what:<15} {found}")?;
        if !remedy.is_empty() {
            writeln!(out, "     {:<15} -> {remedy}", "")?;
        }
    }
    Ok(())
}

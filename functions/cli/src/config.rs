//! `connector.toml`: an integration as a file. Knows its keys, and names the one that a mistyped key was meant to be.

use crate::failure::Failure;
use crate::place::Place;
use crate::source::{CLOUD, visibility};
use crate::stack::Stack;
use crate::sync::{date, groups};
use engine::{Branches, Credentials, FilesFrom, Group, Integration, Selection, Webhook};
use std::fmt::Write as _;
use std::path::Path;
use toml::{Table, Value};

const KEYS: [&str; 13] = [
    "name",
    "github",
    "organizations",
    "credentials",
    "fetch",
    "files_from",
    "branches",
    "since",
    "reserve_percent",
    "ca_cert",
    "webhook",
    "webhook_url",
    "repositories",
];
const RULES: [&str; 7] = ["include", "exclude", "visibility", "archived", "forks", "topics", "pushed_since"];

/// Reads one, and says of each mistake where it is. On a stack it is of the stack's GitHub, and may say so.
pub(crate) fn read(file: &Path, place: &Place) -> Result<Integration, Failure> {
    let named = |why: String| Failure::Usage(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| named(format!("it cannot be read: {error}")))?;
    let own = place.stack().map_or(CLOUD, Stack::api_url);
    let one = parse(&text, own).map_err(named)?;
    if let Some(stack) = place.stack() {
        stack.github(Some(&one.github)).map_err(|failure| named(failure.to_string()))?;
        if one.ca_cert.is_some() {
            return Err(named("ca_cert: a stack trusts the public authorities only".to_owned()));
        }
    }
    Ok(one)
}

/// `own` is the API unless another is named.
fn parse(text: &str, own: &str) -> Result<Integration, String> {
    let table = parsed(text)?;
    known(&table, &KEYS, "")?;
    let rules = match table.get("repositories") {
        None => Table::new(),
        Some(Value::Table(rules)) => rules.clone(),
        Some(_) => return Err("`repositories` must be a table: write [repositories] and the rules below it".to_owned()),
    };
    known(&rules, &RULES, "repositories.")?;
    let name = word(&table, "name")?.ok_or("`name` is missing")?;
    let github = word(&table, "github")?.unwrap_or_else(|| own.to_owned());
    let credentials = match word(&table, "credentials")?.as_deref() {
        None | Some("environment") => Credentials::Environment,
        Some("stored") => Credentials::Stored,
        // Not shown again: it may be a token.
        Some(_) => return Err("credentials: write environment or stored; a token itself never belongs into this file".to_owned()),
    };
    let organizations = words(&table, "organizations")?.ok_or("`organizations` is missing")?;
    let mut one = Integration::new(&name, &github, organizations, credentials);
    if let Some(fetch) = words(&table, "fetch")? {
        one.fetch = groups(&fetch).map_err(|failure| format!("fetch: {failure}"))?;
    }
    if let Some(files_from) = word(&table, "files_from")? {
        one.files_from = files_from.parse().map_err(|why| format!("files_from: {why}"))?;
    }
    if let Some(branches) = word(&table, "branches")? {
        one.branches = branches.parse().map_err(|why| format!("branches: {why}"))?;
    }
    one.since = time(&table, "since")?;
    one.ca_cert = word(&table, "ca_cert")?;
    if let Some(mode) = word(&table, "webhook")? {
        one.webhook = Webhook::parse(&mode).ok_or("webhook: write none, stages or push")?;
    }
    one.webhook_url = word(&table, "webhook_url")?;
    if let Some(percent) = table.get("reserve_percent") {
        let percent = percent.as_integer().and_then(|percent| u32::try_from(percent).ok());
        one.reserve_percent = percent.ok_or("reserve_percent: write a number from 0 to 90")?;
    }
    let visible = words(&rules, "visibility")?.unwrap_or_default();
    one.repositories = Selection {
        include: words(&rules, "include")?.unwrap_or_default(),
        exclude: words(&rules, "exclude")?.unwrap_or_default(),
        visibility: visible.iter().map(|name| visibility(name).map_err(|failure| failure.to_string())).collect::<Result<_, _>>()?,
        no_archived: !flag(&rules, "archived")?,
        no_forks: !flag(&rules, "forks")?,
        topics: words(&rules, "topics")?.unwrap_or_default(),
        pushed_since: time(&rules, "pushed_since")?,
    };
    one.validate().map_err(|error| error.to_string())?;
    github::ApiUrl::parse(&one.github).map_err(|error| error.to_string())?;
    Ok(one)
}

pub(crate) fn parsed(text: &str) -> Result<Table, String> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1);
        format!("line {line}: it is not TOML: {}", error.message())
    })
}

pub(crate) fn known(table: &Table, keys: &[&str], within: &str) -> Result<(), String> {
    let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) else { return Ok(()) };
    let nearest = keys.iter().max_by(|a, b| strsim::jaro_winkler(a, key).total_cmp(&strsim::jaro_winkler(b, key)));
    let meant = nearest.map(|nearest| format!(" Did you mean `{within}{nearest}`?")).unwrap_or_default();
    Err(format!("`{within}{key}` is not a key.{meant} There are: {}", keys.join(", ")))
}

pub(crate) fn word(table: &Table, key: &str) -> Result<Option<String>, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| format!("{key}: write a text in quotes"));
    table.get(key).map(text).transpose()
}

pub(crate) fn words(table: &Table, key: &str) -> Result<Option<Vec<String>>, String> {
    let wrong = || format!("{key}: write a list of texts, such as [\"one\", \"two\"]");
    let Some(value) = table.get(key) else { return Ok(None) };
    let list = value.as_array().ok_or_else(wrong)?;
    list.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
}

/// True unless told.
fn flag(table: &Table, key: &str) -> Result<bool, String> {
    table.get(key).map_or(Ok(true), |value| value.as_bool().ok_or_else(|| format!("{key}: write true or false")))
}

fn time(table: &Table, key: &str) -> Result<Option<jiff::Timestamp>, String> {
    let read = |value: &Value| {
        let text = value.as_datetime().map(ToString::to_string).or_else(|| value.as_str().map(str::to_owned)).unwrap_or_default();
        date(&text).map_err(|failure| format!("{key}: {failure}"))
    };
    table.get(key).map(read).transpose()
}

/// The file that makes this integration.
pub(crate) fn write(one: &Integration) -> String {
    let list = |words: Vec<String>| Value::Array(words.into_iter().map(Value::String).collect()).to_string();
    let mut text = String::new();
    let mut line = |key: &str, value: String| {
        let _ = writeln!(text, "{key} = {value}");
    };
    line("name", Value::String(one.name.clone()).to_string());
    line("github", Value::String(one.github.clone()).to_string());
    line("organizations", list(one.organizations.clone()));
    let credentials = match one.credentials {
        Credentials::Environment => "environment",
        Credentials::Stored => "stored",
    };
    line("credentials", Value::String(credentials.to_owned()).to_string());
    line("fetch", list(one.fetch.iter().filter(|group| **group != Group::Always).map(|group| group.name().to_owned()).collect()));
    if one.files_from != FilesFrom::Auto {
        line("files_from", Value::String(one.files_from.name().to_owned()).to_string());
    }
    if one.branches != Branches::Default {
        line("branches", Value::String(one.branches.name().to_owned()).to_string());
    }
    if let Some(since) = one.since {
        line("since", Value::String(since.to_string()).to_string());
    }
    line("reserve_percent", one.reserve_percent.to_string());
    if let Some(file) = &one.ca_cert {
        line("ca_cert", Value::String(file.clone()).to_string());
    }
    line("webhook", Value::String(one.webhook.name().to_owned()).to_string());
    if let Some(url) = &one.webhook_url {
        line("webhook_url", Value::String(url.clone()).to_string());
    }
    let rules = &one.repositories;
    if !rules.is_everything() {
        line("\n[repositories]\ninclude", list(rules.include.clone()));
        line("exclude", list(rules.exclude.clone()));
        line("visibility", list(rules.visibility.iter().map(|one| one.name().to_owned()).collect()));
        line("archived", (!rules.no_archived).to_string());
        line("forks", (!rules.no_forks).to_string());
        line("topics", list(rules.topics.clone()));
        if let Some(since) = rules.pushed_since {
            line("pushed_since", Value::String(since.to_string()).to_string());
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_written_back() {
        let text = "name = \"acme\"\norganizations = [\"acme\"]\nfetch = [\"issues\", \"commits\"]\nsince = 2025-01-31\nbranches = \"all\"\nwebhook = \"push\"\nwebhook_url = \"https://hooks.example.com/webhook\"\n\
                    [repositories]\ninclude = [\"api-*\"]\nvisibility = [\"private\"]\narchived = false\n";
        let one = parse(text, CLOUD).unwrap();
        assert!(one.repositories.no_archived && !one.repositories.no_forks && one.fetch.len() == 2);
        assert_eq!(one.since.map(|since| since.to_string()).as_deref(), Some("2025-01-31T00:00:00Z"));
        assert_eq!(parse(&write(&one), CLOUD).unwrap(), one);
    }

    #[test]
    fn whatever_is_in_a_file_makes_no_panic() {
        let good = "name = \"acme\"\norganizations = [\"acme\"]\nfetch = [\"issues\"]\nsince = 2025-01-31\nfiles_from = \"git\"\n[repositories]\ninclude = [\"api-*\"]\n";
        let mut random = sim::Random(1);
        let mut read = 0;
        for _ in 0..5000 {
            let mut bytes = good.as_bytes().to_vec();
            for _ in 0..=random.below(3) {
                let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
                bytes[at] = u8::try_from(random.below(128)).unwrap();
            }
            read += u32::from(parse(&String::from_utf8(bytes).unwrap(), CLOUD).is_ok());
        }
        assert!((1..5000).contains(&read), "some are still files, some are not: {read}");
    }

    #[test]
    fn each_mistake_is_named_with_what_to_write() {
        let good = "name = \"acme\"\norganizations = [\"acme\"]\n";
        for (more, told) in [
            ("fetsh = []", "`fetsh` is not a key. Did you mean `fetch`?"),
            ("[repositories]\ninclud = []", "Did you mean `repositories.include`?"),
            ("fetch = [\"wikis\"]", "There are: pull-requests"),
            ("fetch = \"issues\"", "list of texts"),
            ("since = \"yesterday\"", "2025-01-31"),
            ("reserve_percent = 95", "use 0 to 90"),
            ("webhook = \"pull\"", "none, stages or push"),
            ("webhook = \"push\"", "an address that GitHub can reach"),
            ("reserve_percent = \"few\"", "a number from 0 to 90"),
            ("github = \"ghe.example.com\"", "no scheme"),
            ("credentials = \"ghp_0123\"", "never belongs into this file"),
            ("[repositories]\nvisibility = [\"secret\"]", "public, private, internal"),
            ("[repositories]\ninclude = [\"[a\"]", "glob"),
            ("name = ", "not TOML"),
        ] {
            let why = parse(&format!("{good}{more}"), CLOUD).unwrap_err();
            assert!(why.contains(told), "{more}: {why}");
        }
        assert!(parse("organizations = [\"acme\"]", CLOUD).unwrap_err().contains("`name` is missing"));
        assert!(parse("name = \"-\"\norganizations = [\"acme\"]", CLOUD).unwrap_err().contains("not a name"));
        assert!(parse("name = \"a\"\norganizations = [\"a/b\"]", CLOUD).unwrap_err().contains("login"));
    }
}

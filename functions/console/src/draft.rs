//! An integration as a form has it: from its fields, and back into them. What is wrong is told beside the field. Keeps no
//! secret, and puts none back.

use crate::stop::Stop;
use crate::who::Change;
use engine::{Branches, Credentials, FilesFrom, Group, Integration, Selection, Visibility, Webhook, literal, unliteral};
use github::ApiUrl;
use jiff::Timestamp;

/// Which of its repositories an organization gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Which {
    #[default]
    All,
    Listed,
    Patterns,
}

/// The fields but secrets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub(crate) kind: String,
    pub(crate) api_url: String,
    pub(crate) ca_cert: String,
    pub(crate) name: String,
    pub(crate) organizations: Vec<String>,
    pub(crate) which: Which,
    /// Whole names.
    pub(crate) chosen: Vec<String>,
    pub(crate) include: String,
    pub(crate) exclude: String,
    pub(crate) visibility: Vec<String>,
    pub(crate) no_archived: bool,
    pub(crate) no_forks: bool,
    pub(crate) topics: String,
    pub(crate) pushed_since: String,
    pub(crate) fetch: Vec<String>,
    pub(crate) files_from: String,
    pub(crate) branches: String,
    pub(crate) since: String,
    pub(crate) reserve: String,
    pub(crate) webhook: String,
    pub(crate) webhook_url: String,
}

pub(crate) const CLOUD: &str = "https://api.github.com";

pub(crate) fn groups() -> impl Iterator<Item = Group> {
    Group::ALL.into_iter().filter(|group| *group != Group::Always)
}

fn words(text: &str) -> Vec<String> {
    text.split([',', ' ', '\n', '\r', '\t']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn date(what: &str, text: &str) -> Result<Option<Timestamp>, Stop> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = |text: &str| text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let read = text.parse().ok().or_else(|| day(text));
    read.map(Some).ok_or_else(|| Stop::Wrong(format!("{what}: `{text}` is not a date. Write 2025-01-31 or 2025-01-31T12:00:00Z.")))
}

impl Draft {
    /// A new one, with everything chosen.
    pub(crate) fn new(api_url: Option<&str>) -> Self {
        let kind = match api_url {
            None | Some(CLOUD) => "cloud",
            Some(url) if ApiUrl::parse(url).is_ok_and(|url| url.is_cloud()) => "residency",
            Some(_) => "server",
        };
        Self {
            kind: kind.to_owned(),
            api_url: api_url.filter(|url| *url != CLOUD).unwrap_or_default().to_owned(),
            fetch: groups().map(|group| group.name().to_owned()).collect(),
            files_from: FilesFrom::Auto.name().to_owned(),
            branches: Branches::Default.name().to_owned(),
            reserve: "10".to_owned(),
            webhook: Webhook::None.name().to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn of(one: &Integration) -> Self {
        let rules = &one.repositories;
        let names: Option<Vec<String>> = rules.include.iter().map(|pattern| unliteral(pattern).filter(|name| name.contains('/'))).collect();
        let date = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let others = !rules.exclude.is_empty();
        let (which, chosen) = match names {
            _ if rules.include.is_empty() && !others => (Which::All, Vec::new()),
            Some(names) if !names.is_empty() && !others => (Which::Listed, names),
            _ => (Which::Patterns, Vec::new()),
        };
        Self {
            ca_cert: one.ca_cert.clone().unwrap_or_default(),
            name: one.name.clone(),
            organizations: one.organizations.clone(),
            which,
            chosen,
            include: if which == Which::Patterns { rules.include.join(", ") } else { String::new() },
            exclude: rules.exclude.join(", "),
            visibility: rules.visibility.iter().map(|one| one.name().to_owned()).collect(),
            no_archived: rules.no_archived,
            no_forks: rules.no_forks,
            topics: rules.topics.join(", "),
            pushed_since: date(rules.pushed_since),
            fetch: one.fetch.iter().map(|group| group.name().to_owned()).collect(),
            files_from: one.files_from.name().to_owned(),
            branches: one.branches.name().to_owned(),
            since: date(one.since),
            reserve: one.reserve_percent.to_string(),
            webhook: one.webhook.name().to_owned(),
            webhook_url: one.webhook_url.clone().unwrap_or_default(),
            ..Self::new(Some(&one.github))
        }
    }

    pub(crate) fn read(change: &Change) -> Self {
        let field = |name: &str| change.field(name).to_owned();
        let mut organizations = change.all("organization");
        organizations.extend(words(change.field("organizations")));
        organizations.sort_unstable_by_key(|login| login.to_lowercase());
        organizations.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        Self {
            kind: field("kind"),
            api_url: field("api_url"),
            ca_cert: field("ca_cert"),
            name: field("name"),
            organizations,
            which: match change.field("which") {
                "listed" => Which::Listed,
                "patterns" => Which::Patterns,
                _ => Which::All,
            },
            chosen: change.all("repository"),
            include: field("include"),
            exclude: field("exclude"),
            visibility: change.all("visibility"),
            no_archived: change.has("no_archived"),
            no_forks: change.has("no_forks"),
            topics: field("topics"),
            pushed_since: field("pushed_since"),
            fetch: change.all("fetch"),
            files_from: field("files_from"),
            branches: field("branches"),
            since: field("since"),
            reserve: field("reserve"),
            webhook: field("webhook"),
            webhook_url: field("webhook_url"),
        }
    }

    /// The API that is meant.
    pub(crate) fn url(&self) -> Result<ApiUrl, Stop> {
        let text = match self.kind.as_str() {
            "residency" | "server" => self.api_url.as_str(),
            _ => CLOUD,
        };
        if text.is_empty() {
            return Err(Stop::Wrong("Give the address of your GitHub's API, such as https://HOST/api/v3.".to_owned()));
        }
        ApiUrl::parse(text).map_err(|error| Stop::Wrong(error.to_string()))
    }

    pub(crate) fn ca(&self) -> Result<Option<Vec<u8>>, Stop> {
        certificates(Some(self.ca_cert.as_str()).filter(|file| !file.is_empty()))
    }

    /// What the form says, over what was there.
    pub(crate) fn onto(&self, before: Integration) -> Result<Integration, Stop> {
        let wrong = |text: String| Stop::Wrong(text);
        let selection = self.selection()?;
        let fetch: Option<_> = self.fetch.iter().map(|name| Group::parse(name)).collect();
        let one = Integration {
            organizations: self.organizations.clone(),
            repositories: selection,
            fetch: fetch.ok_or_else(|| wrong("What is to be fetched is not known.".to_owned()))?,
            since: date("Only what changed since", &self.since)?,
            reserve_percent: if self.reserve.is_empty() {
                before.reserve_percent
            } else {
                self.reserve.parse().map_err(|_| wrong(format!("The reserve `{}` is not a number from 0 to 90.", self.reserve)))?
            },
            ca_cert: Some(self.ca_cert.clone()).filter(|file| !file.is_empty()),
            webhook: Webhook::parse(&self.webhook).unwrap_or(before.webhook),
            webhook_url: Some(self.webhook_url.clone()).filter(|url| !url.is_empty()),
            files_from: self.files_from.parse().unwrap_or(before.files_from),
            branches: self.branches.parse().unwrap_or(before.branches),
            ..before
        };
        one.validate()?;
        Ok(one)
    }

    fn selection(&self) -> Result<Selection, Stop> {
        let include = match self.which {
            Which::All => Vec::new(),
            Which::Listed if self.chosen.is_empty() => return Err(Stop::Wrong("Choose at least one repository, or take all, present and future.".to_owned())),
            Which::Listed => self.chosen.iter().map(|name| literal(name)).collect(),
            Which::Patterns => words(&self.include),
        };
        Ok(Selection {
            include,
            exclude: if self.which == Which::Patterns { words(&self.exclude) } else { Vec::new() },
            visibility: self.visibility.iter().filter_map(|name| Visibility::parse(name)).collect(),
            no_archived: self.no_archived,
            no_forks: self.no_forks,
            topics: words(&self.topics),
            pushed_since: date("Only repositories pushed to since", &self.pushed_since)?,
        })
    }

    /// A new integration.
    pub(crate) fn integration(&self, credentials: Credentials) -> Result<Integration, Stop> {
        let url = self.url()?;
        let text = url.rest().as_str().trim_end_matches('/').to_owned();
        self.onto(Integration::new(&self.name, &text, Vec::new(), credentials))
    }
}

/// Of authorities to trust besides the machine's.
pub(crate) fn certificates(file: Option<&str>) -> Result<Option<Vec<u8>>, Stop> {
    let read = |file: &str| std::fs::read(file).map_err(|error| Stop::Wrong(format!("The certificates in {file} cannot be read: {error}.")));
    file.map(read).transpose()
}

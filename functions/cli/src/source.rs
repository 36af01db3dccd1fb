//! Which GitHub, which organizations and which of their repositories: the same flags for every command that asks GitHub,
//! or an integration that was installed. The tokens come from the environment or from where they were stored, never by flag.

use crate::arguments::Fetch;
use crate::failure::Failure;
use crate::place::Place;
use crate::stack::Stack;
use crate::sync::{date, groups};
use clap::Args;
use engine::{Credentials, Integration, Selection, Settings, Store, Tokens, Visibility, integration};
use github::{ApiUrl, Credential, Secret, Token};
use globset::GlobBuilder;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Args)]
pub(crate) struct Source {
    /// Organizations to copy. The token's owner must be a member. Without it, the integrations that `connect` installed.
    #[arg(long, value_name = "ORG", num_args = 1..)]
    pub(crate) org: Vec<String>,
    /// An integration that was installed.
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with = "org")]
    integration: Vec<String>,
    #[command(flatten)]
    pub(crate) rules: Rules,
    #[command(flatten)]
    server: Server,
}

/// Which repositories of an organization.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Rules {
    /// Only repositories that match, as owner/name or name.
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub(crate) repo: Vec<String>,
    /// Not repositories that match.
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    exclude: Vec<String>,
    /// Only these: public, private, internal.
    #[arg(long, value_name = "VISIBILITY", value_delimiter = ',')]
    visibility: Vec<String>,
    /// Archived repositories, too (they are, unless told).
    #[arg(long, overrides_with = "no_archived")]
    archived: bool,
    /// Not archived repositories.
    #[arg(long, overrides_with = "archived")]
    no_archived: bool,
    /// Forks, too (they are, unless told).
    #[arg(long, overrides_with = "no_forks")]
    forks: bool,
    /// Not forks.
    #[arg(long, overrides_with = "forks")]
    no_forks: bool,
    /// Only repositories with one of these topics.
    #[arg(long, value_name = "TOPIC", num_args = 1..)]
    topic: Vec<String>,
    /// Only repositories that were pushed to since this day or time, such as 2025-01-31.
    #[arg(long, value_name = "DATE")]
    pushed_since: Option<String>,
}

/// What a command works on: an integration, or what the flags say.
pub(crate) struct Chosen {
    pub(crate) settings: Settings,
    pub(crate) url: ApiUrl,
    pub(crate) ca: Option<Vec<u8>>,
    pub(crate) access: Access,
}

/// Where its credentials are.
pub(crate) enum Access {
    /// In the environment; where there are none, those that `authorize` kept under no name.
    Environment,
    /// Beside the copy, under the integration's name.
    Stored(String),
    /// At hand: not kept yet.
    Given(Vec<Credential>),
}

/// Which GitHub.
#[derive(Debug, Clone, Args)]
pub(crate) struct Server {
    /// The API of your GitHub; https://api.github.com, unless told, and of a stack its own.
    #[arg(long, value_name = "URL", env = "GITHUB_API_URL")]
    api_url: Option<String>,
    /// Certificates in PEM of authorities to trust besides this machine's.
    #[arg(long, value_name = "FILE", env = "SEI_CA_CERT")]
    ca_cert: Option<PathBuf>,
}

impl Server {
    /// The API to ask about a copy.
    pub(crate) fn url(&self, place: &Place) -> Result<ApiUrl, Failure> {
        match place.stack() {
            Some(stack) => stack.github(self.api_url.as_deref()),
            None => Ok(ApiUrl::parse(self.api_url.as_deref().unwrap_or(CLOUD))?),
        }
    }

    pub(crate) fn certificates(&self) -> Result<Option<Vec<u8>>, Failure> {
        certificates(self.ca_cert.as_deref())
    }
}

impl Rules {
    pub(crate) fn selection(&self) -> Result<Selection, Failure> {
        Ok(Selection {
            include: self.repo.clone(),
            exclude: self.exclude.clone(),
            visibility: self.visibility.iter().map(|name| visibility(name)).collect::<Result<_, _>>()?,
            no_archived: self.no_archived,
            no_forks: self.no_forks,
            topics: self.topic.clone(),
            pushed_since: self.pushed_since.as_deref().map(date).transpose()?,
        })
    }

    /// Changes what is told, and leaves the rest as it was.
    pub(crate) fn amend(&self, selection: &mut Selection) -> Result<(), Failure> {
        let told = self.selection()?;
        if !told.include.is_empty() {
            selection.include = told.include;
        }
        if !told.exclude.is_empty() {
            selection.exclude = told.exclude;
        }
        if !told.visibility.is_empty() {
            selection.visibility = told.visibility;
        }
        if !told.topics.is_empty() {
            selection.topics = told.topics;
        }
        selection.no_archived = (selection.no_archived || self.no_archived) && !self.archived;
        selection.no_forks = (selection.no_forks || self.no_forks) && !self.forks;
        selection.pushed_since = told.pushed_since.or(selection.pushed_since);
        Ok(())
    }
}

pub(crate) fn visibility(name: &str) -> Result<Visibility, Failure> {
    Visibility::parse(name.trim()).ok_or_else(|| Failure::Usage(format!("`{name}` is not a visibility. There are: public, private, internal")))
}

impl Source {
    /// What the flags say, if they name an organization.
    pub(crate) fn by_flags(&self, what: &Fetch, since: Option<&str>, place: &Place) -> Result<Option<Chosen>, Failure> {
        let url = self.server.url(place)?;
        let settings = Settings {
            orgs: self.org.clone(),
            selection: self.rules.selection()?,
            groups: groups(&what.fetch)?,
            files_from: what.files.files_from.unwrap_or_default(),
            branches: what.files.branches.unwrap_or_default(),
            since: since.map(date).transpose()?,
            ..Settings::default()
        };
        if self.org.is_empty() {
            let of_commits = what.files.files_from.is_some() || what.files.branches.is_some();
            if !settings.selection.is_everything() || !what.fetch.is_empty() || of_commits || since.is_some() {
                let told = "without --org an integration is used, which has its own choices: change them with `sei-github integrations edit`";
                return Err(Failure::Usage(told.to_owned()));
            }
            return Ok(None);
        }
        Ok(Some(Chosen { settings, url, ca: self.server.certificates()?, access: Access::Environment }))
    }

    pub(crate) fn names_integrations(&self) -> bool {
        !self.integration.is_empty()
    }

    /// These organizations, by the environment's tokens or the stack's.
    pub(crate) fn about(&self, orgs: Vec<String>, place: &Place) -> Result<Chosen, Failure> {
        let settings = Settings { orgs, ..Settings::default() };
        Ok(Chosen { settings, url: self.server.url(place)?, ca: self.server.certificates()?, access: Access::Environment })
    }

    /// Told before anything is asked: a stack has one GitHub.
    pub(crate) fn is_of(&self, place: &Place) -> Result<(), Failure> {
        self.server.url(place).map(|_| ())
    }

    /// The integrations that are named or, if none is, all of them.
    pub(crate) async fn installed(&self, store: &dyn Store) -> Result<Vec<Integration>, Failure> {
        let mut all = Vec::new();
        for name in &self.integration {
            all.push(integration::integration(store, name).await?);
        }
        if self.integration.is_empty() {
            all = integration::integrations(store).await?;
        }
        if all.is_empty() {
            return Err(Failure::Usage(
                "nothing says what to copy. Name an organization with --org, or install an integration with `sei-github connect`".to_owned(),
            ));
        }
        Ok(all)
    }

    /// The same for whoever works on them; a stack without any copies what its parameters say.
    pub(crate) async fn chosen(&self, place: &Place, store: &dyn Store) -> Result<Vec<Chosen>, Failure> {
        match (self.installed(store).await, place.stack()) {
            (Err(Failure::Usage(_)), Some(stack)) if self.integration.is_empty() && !stack.settings().orgs.is_empty() => Ok(vec![Chosen::of_stack(stack)?]),
            (installed, _) => installed?.iter().map(Chosen::of).collect(),
        }
    }

    /// For commands that look at one: what the flags say, or the integration that is meant.
    pub(crate) async fn one(&self, what: &Fetch, place: &Place) -> Result<Chosen, Failure> {
        if let Some(chosen) = self.by_flags(what, None, place)? {
            return Ok(chosen);
        }
        let mut all = Vec::new();
        if place.is_there() {
            let copy = place.open().await?;
            let found = self.chosen(place, &copy.store()).await;
            copy.shutdown().await;
            all = found?;
        }
        match (all.len(), all.pop()) {
            (1, Some(one)) => Ok(one),
            (_, None) => {
                Err(Failure::Usage(format!("there is no integration in {place}. Name an organization with --org, or install one with `sei-github connect`")))
            }
            (_, Some(last)) => {
                let names: Vec<&str> = all.iter().chain([&last]).filter_map(|one| one.settings.integration.as_deref()).collect();
                Err(Failure::Usage(format!("there are several integrations: name one with --integration ({})", names.join(", "))))
            }
        }
    }
}

impl Chosen {
    pub(crate) fn of(one: &Integration) -> Result<Self, Failure> {
        let (url, ca) = (ApiUrl::parse(&one.github)?, certificates(one.ca_cert.as_deref().map(Path::new))?);
        let access = match one.credentials {
            Credentials::Environment => Access::Environment,
            Credentials::Stored => Access::Stored(one.name.to_lowercase()),
        };
        Ok(Self { settings: one.settings(), url, ca, access })
    }

    /// What a stack's parameters say.
    pub(crate) fn of_stack(stack: &Stack) -> Result<Self, Failure> {
        Ok(Self { settings: stack.settings(), url: stack.github(None)?, ca: None, access: Access::Environment })
    }

    /// Every integration of a copy or, where there is none, what the stack's parameters say.
    pub(crate) async fn all(place: &Place, store: &dyn Store) -> Result<Vec<Self>, Failure> {
        let installed = integration::integrations(store).await?;
        match place.stack() {
            Some(stack) if installed.is_empty() => Ok(vec![Self::of_stack(stack)?]),
            _ => installed.iter().map(Self::of).collect(),
        }
    }

    /// With credentials at hand, if there are any, instead of those that it names.
    pub(crate) fn with(one: &Integration, given: Option<&[Credential]>) -> Result<Self, Failure> {
        let chosen = Self::of(one)?;
        Ok(match given {
            Some(given) => Self { access: Access::Given(given.to_vec()), ..chosen },
            None => chosen,
        })
    }

    /// The pool of tokens; `place` is where some may be kept. Of a stack, those that it has itself: the environment's
    /// would be another's.
    pub(crate) async fn tokens(&self, place: &Place) -> Result<Tokens, Failure> {
        if let Some(stack) = place.stack() {
            // Whoever chose the address: the stack's token goes to the stack's GitHub alone.
            stack.github(Some(self.url.rest().as_str()))?;
        }
        let kept_as = if let Access::Stored(name) = &self.access { name } else { KEPT_AS };
        let (vault, name) = place.vault(kept_as)?;
        let at_hand = match &self.access {
            Access::Given(credentials) => credentials.clone(),
            Access::Environment if place.stack().is_none() => credentials()?,
            Access::Environment | Access::Stored(_) => Vec::new(),
        };
        let kept = Some((vault, name.as_str())).filter(|_| !matches!(self.access, Access::Given(_)));
        let pool = integration::pool(&self.url, &at_hand, kept, self.ca.as_deref(), jiff::Timestamp::now()).await?;
        pool.ok_or_else(|| {
            let missing = match (&self.access, place.stack()) {
                (_, Some(stack)) => format!("the stack {0} has no token yet. `sei-github connect --stack {0}` puts one into its secret", stack.name),
                (Access::Stored(name), _) => format!("no token is kept for `{name}` in {place}. `sei-github authorize --name {name}` gets one"),
                _ => "there is no token. Set GITHUB_TOKEN to a personal access token with the scopes repo and read:org (read:project for boards, admin:org_hook for a webhook; \
                    https://github.com/settings/tokens), or try `sei-github demo`"
                    .to_owned(),
            };
            Failure::Authentication(missing)
        })
    }
}

pub(crate) fn certificates(file: Option<&Path>) -> Result<Option<Vec<u8>>, Failure> {
    let read = |file: &Path| std::fs::read(file).map_err(|error| Failure::Usage(format!("the certificates in {} cannot be read: {error}", file.display())));
    file.map(read).transpose()
}

/// Whose API it is, unless told.
pub(crate) const CLOUD: &str = "https://api.github.com";

/// Where `authorize` keeps what it gets, unless told.
pub(crate) const KEPT_AS: &str = "default";

/// Whether `owner/name` matches one of the globs, by itself or by its name, in any case; none takes all.
pub(crate) fn matcher(globs: &[String]) -> Result<impl Fn(&str) -> bool + Send + Sync + use<>, Failure> {
    let compile = |glob: &String| GlobBuilder::new(glob).case_insensitive(true).build().map(|glob| glob.compile_matcher());
    let globs = globs.iter().map(compile).collect::<Result<Vec<_>, _>>().map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(move |full_name: &str| {
        let name = full_name.split('/').next_back().unwrap_or(full_name);
        globs.is_empty() || globs.iter().any(|glob| glob.is_match(full_name) || glob.is_match(name))
    })
}

/// The environment is read here and by clap, nowhere else.
pub(crate) fn credentials() -> Result<Vec<Credential>, Failure> {
    let read = |name: &str| std::env::var(name).unwrap_or_default();
    let mut credentials: Vec<Credential> = app(read)?.into_iter().collect();
    let all = format!("{},{}", read("GITHUB_TOKEN"), read("GITHUB_TOKENS"));
    let mut tokens: Vec<&str> = Vec::new();
    for token in all.split(',').map(str::trim).filter(|token| !token.is_empty()) {
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    for token in tokens {
        Token::new(token)?;
        credentials.push(Credential::token(token));
    }
    Ok(credentials)
}

/// A GitHub App by `GITHUB_APP_CLIENT_ID` and its key, itself or in a file.
fn app(read: impl Fn(&str) -> String) -> Result<Option<Credential>, Failure> {
    let (client_id, key, file) = (read("GITHUB_APP_CLIENT_ID"), read("GITHUB_APP_PRIVATE_KEY"), read("GITHUB_APP_PRIVATE_KEY_FILE"));
    let key = match (key.is_empty(), file.is_empty()) {
        (false, _) => key,
        (true, false) => std::fs::read_to_string(&file)
            .map_err(|error| Failure::Authentication(format!("the GitHub App's private key in {file} cannot be read: {error}")))?,
        (true, true) if client_id.is_empty() => return Ok(None),
        (true, true) => {
            return Err(Failure::Authentication("the GitHub App has no key. Set GITHUB_APP_PRIVATE_KEY_FILE to the .pem file that GitHub made".to_owned()));
        }
    };
    Ok(Some(Credential::App { client_id, private_key: Secret::new(&key), installations: Vec::new() }))
}

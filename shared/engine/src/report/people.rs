//! Who is who: apps and bots, several accounts of one person, and whose work is asked for. Reads rows and changes nothing.

use super::ask::{AskError, Asked, Matcher, wrong};
use super::labels::{text, texts};
use super::pulls::bots;
use crate::entities::TEAMS;
use crate::export::Pages;
use crate::ports::Rows;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Logins are compared in any case, as GitHub does.
#[derive(Default)]
pub struct People {
    /// Apps and bots.
    unheard: BTreeSet<String>,
    /// Of an account or address in small letters, whose it is.
    known_as: HashMap<String, Arc<str>>,
    /// Members of the teams that are asked for.
    members: Option<BTreeSet<String>>,
    matching: Option<Matcher>,
}

impl People {
    pub(super) async fn load(store: &dyn Rows, asked: &Asked) -> Result<Self, AskError> {
        let mut people = Self { known_as: aliases(&asked.all("alias"))?, ..Self::default() };
        if !asked.is("bots") {
            people = people.without(bots(store).await?);
        }
        let teams = asked.all("team");
        if !teams.is_empty() {
            people.members = Some(people.members(store, &teams).await?);
        }
        people.matching = Some(asked.matcher("person")?).filter(|matcher| !matcher.takes_all());
        Ok(people)
    }

    /// These are nobody.
    #[must_use]
    pub fn without(mut self, bots: BTreeSet<String>) -> Self {
        self.unheard.extend(bots.into_iter().map(|login| login.to_lowercase()));
        self
    }

    async fn members(&self, store: &dyn Rows, teams: &[String]) -> Result<BTreeSet<String>, AskError> {
        let (mut members, mut found, mut there) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for scope in store.scopes(&TEAMS).await? {
            let mut pages = Pages::new(store, &TEAMS, scope);
            while let Some(rows) = pages.next().await? {
                for row in rows.iter().filter(|row| !row.gone) {
                    let Some(slug) = text(&row.fields, "slug") else { continue };
                    there.insert(slug.to_owned());
                    if let Some(asked) = teams.iter().find(|team| team.eq_ignore_ascii_case(slug)) {
                        found.insert(asked.clone());
                        members.extend(texts(&row.fields, "members").iter().map(|login| self.name(login).to_lowercase()));
                    }
                }
            }
        }
        match teams.iter().find(|team| !found.contains(*team)) {
            None => Ok(members),
            Some(missing) if there.is_empty() => {
                Err(wrong("team", format!("there is no team `{missing}`: this copy has none. They come with the group teams")))
            }
            Some(missing) => {
                let some: Vec<&str> = there.iter().take(20).map(String::as_str).collect();
                let more = if there.len() > some.len() { format!(" and {} more", there.len() - some.len()) } else { String::new() };
                Err(wrong("team", format!("there is no team `{missing}`. There are: {}{more}", some.join(", "))))
            }
        }
    }

    /// The one name of a person.
    pub(super) fn name<'a>(&'a self, who: &'a str) -> &'a str {
        if self.known_as.is_empty() {
            return who;
        }
        self.known_as.get(&who.to_lowercase()).map_or(who, |name| name)
    }

    /// The same of a text that is kept once.
    pub(super) fn shared(&self, who: Arc<str>) -> Arc<str> {
        if self.known_as.is_empty() {
            return who;
        }
        self.known_as.get(&who.to_lowercase()).cloned().unwrap_or(who)
    }

    pub(super) fn named(&self, who: Option<String>) -> Option<String> {
        who.map(|who| if self.known_as.is_empty() { who } else { self.name(&who).to_owned() })
    }

    /// An app or a bot.
    pub(super) fn is_nobody(&self, who: Option<&str>) -> bool {
        who.is_some_and(|who| !self.unheard.is_empty() && self.unheard.contains(&who.to_lowercase()))
    }

    /// Whether this one's work is asked for; who is not known is nobody's member.
    pub(super) fn takes(&self, who: Option<&str>) -> bool {
        if self.members.is_none() && self.matching.is_none() {
            return true;
        }
        let Some(name) = who.map(|who| self.name(who)) else { return false };
        self.members.as_ref().is_none_or(|members| members.contains(&name.to_lowercase())) && self.matching.as_ref().is_none_or(|globs| globs.takes(name))
    }

    /// Whether what this one made counts: neither a bot's nor another's than those that are asked for.
    pub(super) fn counts(&self, who: Option<&str>) -> bool {
        !self.is_nobody(who) && self.takes(who)
    }
}

/// As in a `.mailmap`: who it is, and then each account or address of theirs in angle brackets. Without a name before the
/// first bracket, the first account is the name.
fn aliases(lines: &[String]) -> Result<HashMap<String, Arc<str>>, AskError> {
    let mut known_as = HashMap::new();
    for line in lines.iter().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty()) {
        let bad = || wrong("alias", format!("`{line}` is not a person and their accounts. Write: ada <ada@old.example> <ada-laptop>"));
        let (name, rest) = line.split_once('<').ok_or_else(bad)?;
        let mut accounts = Vec::new();
        for account in rest.split('<') {
            // What follows a bracket is a name of the account, which says nothing more.
            let account = account.split_once('>').map(|(account, _)| account.trim()).filter(|account| !account.is_empty());
            accounts.push(account.ok_or_else(bad)?);
        }
        let name: Arc<str> = if name.trim().is_empty() { accounts.first().copied().ok_or_else(bad)?.into() } else { name.trim().into() };
        if accounts.len() == 1 && line.trim_start().starts_with('<') {
            return Err(bad());
        }
        known_as.insert(name.to_lowercase(), name.clone());
        for account in accounts {
            let before = known_as.insert(account.to_lowercase(), name.clone());
            if let Some(before) = before.filter(|before| *before != name) {
                return Err(wrong("alias", format!("`{account}` is said to be both {before} and {name}")));
            }
        }
    }
    Ok(known_as)
}

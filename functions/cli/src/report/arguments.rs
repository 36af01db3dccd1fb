//! What can be typed after `report`: made from the engine's list of reports and of what each can be told.

use crate::arguments::Where;
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Subcommand, value_parser};
use drawing::Format;
use engine::report::{Entry, Opt, REPORTS, Takes};
use std::path::PathBuf;

/// Which report, what it is told, and where from.
#[derive(Debug)]
pub(crate) struct Report {
    pub(super) name: &'static str,
    /// As typed; the engine reads them.
    pub(super) pairs: Vec<(String, String)>,
    pub(super) format: Format,
    /// Files that are part of the question.
    pub(super) business_hours: Option<PathBuf>,
    pub(super) aliases: Option<PathBuf>,
    /// Exported files, instead of the copy.
    pub(super) from: Option<PathBuf>,
    pub(super) place: Where,
}

const BUSINESS_HOURS: &str = "business-hours";
const ALIASES: &str = "aliases";
const FROM: &str = "from";

fn command(entry: &'static Entry) -> Command {
    let mut command = Command::new(entry.name).about(entry.about).visible_aliases(entry.aliases);
    for option in entry.options() {
        command = command.arg(argument(option));
        match option.name {
            "hours" => {
                let about = "Counts only the hours of this file: TOML with zone, days, hours and holidays";
                let file = file(BUSINESS_HOURS, about).conflicts_with_all(["zone", "days", "hours", "holidays"]);
                command = command.arg(file);
            }
            "alias" => command = command.arg(file(ALIASES, "The same from a file, a person a line, as a .mailmap")),
            _ => {}
        }
    }
    let formats = Format::ALL.map(|(name, _)| name);
    let about = "How it is printed: html is a page that needs nothing else, svg its chart";
    let format = Arg::new("format").long("format").value_name("FORMAT").default_value("table").value_parser(PossibleValuesParser::new(formats)).help(about);
    let from = file(FROM, "Reads the files that `export --all --format parquet` left in this directory, which is quicker than the copy")
        .value_name("DIR")
        .conflicts_with("stack");
    Where::augment_args(command.arg(format).arg(from))
}

fn argument(option: Opt) -> Arg {
    let argument = Arg::new(option.name).long(option.name).help(option.about);
    match option.takes {
        Takes::Flag => argument.action(ArgAction::SetTrue),
        Takes::Text(written, None) => argument.value_name(written),
        Takes::Text(written, Some(default)) => argument.value_name(written).help(format!("{} [default: {default}]", option.about)),
        Takes::Choice(of) => {
            let default = of.first().map(|first| format!("{} [default: {first}]", option.about)).unwrap_or_default();
            argument.value_name("WHAT").value_parser(PossibleValuesParser::new(of)).help(default)
        }
        Takes::Many(written) | Takes::Words(written, None) => argument.value_name(written).action(ArgAction::Append),
        Takes::Words(written, Some(default)) => argument.value_name(written).action(ArgAction::Append).help(format!("{} [default: {default}]", option.about)),
    }
}

fn file(name: &'static str, about: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf)).help(about)
}

impl Subcommand for Report {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(REPORTS.iter().map(|entry| self::command(entry))).subcommand_required(true).arg_required_else_help(true)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        engine::report::entry(name).is_ok()
    }
}

impl FromArgMatches for Report {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (name, told) = matches.subcommand().ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
        let entry = engine::report::entry(name).map_err(|error| clap::Error::raw(ErrorKind::InvalidSubcommand, error))?;
        let mut pairs = Vec::new();
        for option in entry.options() {
            if option.takes == Takes::Flag {
                pairs.extend(told.get_flag(option.name).then(|| (option.name.to_owned(), "true".to_owned())));
            } else {
                let values = told.get_many::<String>(option.name).into_iter().flatten();
                pairs.extend(values.map(|value| (option.name.to_owned(), value.clone())));
            }
        }
        let path = |name: &str| told.try_get_one::<PathBuf>(name).ok().flatten().cloned();
        let format = told.get_one::<String>("format").and_then(|name| Format::parse(name)).unwrap_or(Format::Table);
        let (business_hours, aliases) = (path(BUSINESS_HOURS), path(ALIASES));
        Ok(Self { name: entry.name, pairs, format, business_hours, aliases, from: path(FROM), place: Where::from_arg_matches(told)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

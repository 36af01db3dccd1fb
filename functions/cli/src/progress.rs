//! Says how a sync gets on: a bar on a terminal, plain lines elsewhere, or to whoever watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who looks on from elsewhere.
pub(crate) trait Watcher: Send + Sync {
    fn at(&self, done: u64, of: u64, message: &str);
    /// Something worth a line.
    fn say(&self, line: &str);
}

pub(crate) enum Progress {
    Here { bar: ProgressBar, plain: bool, last: Instant },
    Watched(Arc<dyn Watcher>),
}

impl Progress {
    pub(crate) fn new() -> Self {
        let plain = !std::io::stderr().is_terminal();
        let target = if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} jobs, {elapsed_precise}, about {eta} left  {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self::Here { bar, plain, last: Instant::now() }
    }

    pub(crate) fn at(&mut self, done: u64, of: u64, message: &str) {
        match self {
            Self::Watched(watcher) => watcher.at(done, of, message),
            Self::Here { bar, plain, last } => {
                bar.set_length(of);
                bar.set_position(done);
                bar.set_message(message.to_owned());
                if *plain && last.elapsed() > Duration::from_secs(5) {
                    *last = Instant::now();
                    eprintln!("{done} of {of} jobs done; {message}");
                }
            }
        }
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: &str) {
        match self {
            Self::Watched(watcher) => watcher.say(line),
            Self::Here { plain: true, .. } => eprintln!("{line}"),
            Self::Here { bar, .. } => bar.println(line),
        }
    }

    pub(crate) fn end(&self) {
        if let Self::Here { bar, .. } = self {
            bar.finish_and_clear();
        }
    }

    /// What is said once it has ended.
    pub(crate) fn sum_up(&self, line: &str) {
        match self {
            Self::Watched(watcher) => watcher.say(line),
            Self::Here { .. } => eprintln!("{line}"),
        }
    }
}

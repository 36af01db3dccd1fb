//! Says on stderr how a sync gets on: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

pub(crate) struct Progress {
    bar: ProgressBar,
    plain: bool,
    last: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let plain = !std::io::stderr().is_terminal();
        let target = if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} jobs, {elapsed_precise}, about {eta} left  {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, plain, last: Instant::now() }
    }

    pub(crate) fn at(&mut self, done: u64, of: u64, message: &str) {
        self.bar.set_length(of);
        self.bar.set_position(done);
        self.bar.set_message(message.to_owned());
        if self.plain && self.last.elapsed() > Duration::from_secs(5) {
            self.last = Instant::now();
            eprintln!("{done} of {of} jobs done; {message}");
        }
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: &str) {
        if self.plain {
            eprintln!("{line}");
        } else {
            self.bar.println(line);
        }
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

//! Watching AWS being asked: a line about each source on a terminal, each call under -v, and an ear
//! for Ctrl-C.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{interrupt, output::Output};
use crate::{
    aws::Watch,
    domain::collection::{Announcement, Call, Scope},
    report,
};

/// Shows what goes on, as far as somebody may be watching.
pub(super) struct Progress<'o> {
    output: &'o Output,
    bars: MultiProgress,
    of_source: RefCell<BTreeMap<Scope, ProgressBar>>,
    stop: Arc<AtomicBool>,
}

impl<'o> Progress<'o> {
    pub(super) fn new(output: &'o Output) -> Self {
        let target = if output.shows_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            output,
            bars: MultiProgress::with_draw_target(target),
            of_source: RefCell::default(),
            stop: interrupt::heard(),
        }
    }

    fn say(&self, message: &str) {
        self.bars.suspend(|| self.output.say(message));
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        // A closed terminal is no reason to complain.
        drop(self.bars.clear());
    }
}

impl Watch for Progress<'_> {
    fn announce(&self, announcement: &Announcement) {
        self.say(&report::collected::announcement(announcement));
    }

    fn progress(&self, scope: &Scope, things: u64, calls: u64) {
        let mut bars = self.of_source.borrow_mut();
        let bar = bars.entry(scope.clone()).or_insert_with(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}, {elapsed}")
                .expect("the template is well formed");
            self.bars.add(ProgressBar::new_spinner().with_style(style))
        });
        bar.set_message(format!("{scope}: {things} read, {calls} calls in all"));
        bar.tick();
    }

    fn ended(&self, scope: &Scope) {
        if let Some(bar) = self.of_source.borrow_mut().remove(scope) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
    }

    fn called(&self, call: &Call<'_>) {
        if self.output.verbosity > 0 {
            self.say(&report::collected::call(call, self.output.verbosity > 1));
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

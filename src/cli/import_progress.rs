//! Watching exports being read.

use std::{
    cell::RefCell,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt;
use crate::exports::Watch;

/// A progress bar on a terminal, and an ear for Ctrl-C.
pub(super) struct ImportProgress {
    pub(super) bar: RefCell<ProgressBar>,
    pub(super) stop: Arc<AtomicBool>,
}

impl ImportProgress {
    pub(super) fn new(visible: bool) -> Self {
        let bar = if visible {
            ProgressBar::no_length()
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar: RefCell::new(bar),
            stop: interrupt::heard(),
        }
    }
}

impl Watch for ImportProgress {
    fn progress(&self, file: &Path, bytes_read: u64, bytes_total: Option<u64>, rows: u64) {
        let bar = self.bar.borrow();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let name: String = name.chars().filter(|c| !c.is_control()).collect();
        if let Some(total) = bytes_total
            && bar.length() != Some(total)
        {
            bar.set_length(total);
            let style =
                ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes}, {eta} left");
            bar.set_style(style.expect("the template is well formed"));
        }
        bar.set_message(format!("{name}, {rows} rows"));
        bar.set_position(bytes_read);
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

//! The one ear for Ctrl-C.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

/// Listens from the first call on, and returns what becomes true once Ctrl-C is pressed. Before that
/// Ctrl-C ends the program at once, which is safe too: nothing is half written, and each page that was read
/// is kept or not.
pub(super) fn heard() -> Arc<AtomicBool> {
    static HEARD: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let listen = || {
        let heard = Arc::new(AtomicBool::new(false));
        let stop = heard.clone();
        drop(ctrlc::set_handler(move || {
            stop.store(true, Ordering::Relaxed);
        }));
        heard
    };
    HEARD.get_or_init(listen).clone()
}

//! How fast AWS is asked: a token bucket for each account, region and service.

use std::{cell::Cell, time::Duration};

use tokio::time::{Instant, sleep_until};

/// Lets through a few requests at once and then a steady stream of them.
#[derive(Debug)]
pub(super) struct Bucket {
    interval: Duration,
    burst: u32,
    /// When the bucket would be full again if nobody asked.
    full_at: Cell<Option<Instant>>,
}

impl Bucket {
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / per_second.max(1),
            burst: burst.max(1),
            full_at: Cell::new(None),
        }
    }

    /// Takes a token, and waits for one if there is none.
    pub(super) async fn take(&self) {
        let now = Instant::now();
        let full_at = self.full_at.get().map_or(now, |at| at.max(now)) + self.interval;
        self.full_at.set(Some(full_at));
        let ready = full_at
            .checked_sub(self.interval * self.burst)
            .unwrap_or(now);
        if ready > now {
            sleep_until(ready).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_burst_requests_keep_their_distance() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let waited = runtime.block_on(async {
            let bucket = Bucket::new(100, 5);
            let begun = Instant::now();
            for _ in 0..15 {
                bucket.take().await;
            }
            begun.elapsed()
        });
        // Five at once, ten more at ten milliseconds each.
        assert!(waited >= Duration::from_millis(100), "{waited:?}");
    }
}

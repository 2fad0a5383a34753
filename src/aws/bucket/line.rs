//! The line to S3: one runtime, asked from any thread.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
    mpsc::{Receiver, RecvTimeoutError, sync_channel},
};

use object_store::Error as StoreError;
use tokio::{runtime::Handle, sync::oneshot, task::JoinHandle};

use super::HEARING;
use crate::aws::{CollectError, s3::S3Error};

/// A thread that speaks with S3, so that answers come in while others work.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) handle: Handle,
    pub(super) stop: Arc<AtomicBool>,
    /// It ends when nobody has this any more.
    pub(super) _open: Arc<oneshot::Sender<()>>,
}

impl Line {
    /// Begins a request.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Pending<T> {
        let (sender, receiver) = sync_channel(1);
        let task = self.handle.spawn(async move {
            // It may be that nobody waits any more.
            drop(sender.send(request.await));
        });
        Pending {
            receiver,
            task,
            stop: self.stop.clone(),
        }
    }
}

/// A request that was begun. It ends with this.
pub(super) struct Pending<T> {
    pub(super) receiver: Receiver<Result<T, StoreError>>,
    pub(super) task: JoinHandle<()>,
    pub(super) stop: Arc<AtomicBool>,
}

impl<T> Pending<T> {
    pub(super) fn wait(self, what: &str) -> Result<T, S3Error> {
        loop {
            match self.receiver.recv_timeout(HEARING) {
                Ok(answer) => return answer.map_err(|error| S3Error::of(what, &error)),
                Err(RecvTimeoutError::Timeout) if !self.stop.load(Ordering::Relaxed) => {}
                Err(_) => return Err(CollectError::Stopped.into()),
            }
        }
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

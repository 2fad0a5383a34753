//! A conversation with one account in one region, for what is no collection.

use std::{error::Error as StdError, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_sts::Client as Sts;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{CollectError, Login, clients, error::Failure, operations::Operation};
use crate::{domain::ids::Region, exports::Watch};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Does something in a runtime of its own, which ends with it.
pub(super) fn block_on<T, E: From<CollectError>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CollectError::Runtime)?;
    runtime.block_on(work)
}

/// Loads credentials and a region, and asks AWS whose they are: what is wrong with credentials, clock
/// or network shows here, and soon.
pub(super) async fn open(login: &Login) -> Result<SdkConfig, CollectError> {
    let config = clients::load(login, PATIENCE).await;
    if config.region().is_none_or(|name| name.as_ref().is_empty()) {
        return Err(CollectError::NoRegion);
    }
    let impatient = clients::impatient(&config);
    let refused = match who(&impatient).await {
        Ok(()) => return Ok(config),
        Err(refused) => refused,
    };
    // A region that is not enabled refuses credentials that are good elsewhere.
    if let (CollectError::Refused(_), Some(elsewhere)) = (&refused, clients::elsewhere(&impatient))
        && who(&elsewhere).await.is_ok()
    {
        let region = config.region().map_or("", AsRef::as_ref);
        return Err(CollectError::RegionOff(Region::new(region)));
    }
    Err(refused)
}

/// Asks whose the credentials are.
async fn who(config: &SdkConfig) -> Result<(), CollectError> {
    let request = Sts::new(config).get_caller_identity();
    let answer = request.send().await;
    answer
        .map(drop)
        .map_err(|error| Failure::of(Operation::GetCallerIdentity, &error).of_only_account())
}

/// A request that has no answer: what it means, and what AWS says of it.
pub(super) struct Unanswered {
    pub(super) failure: Failure,
    pub(super) message: String,
}

impl<T: Into<Failure>> From<T> for Unanswered {
    fn from(failure: T) -> Self {
        Self {
            failure: failure.into(),
            message: String::new(),
        }
    }
}

/// Sends a request, unless the user wants no more.
pub(super) async fn ask<T, E>(
    watch: &dyn Watch,
    operation: Operation,
    send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, Unanswered>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    if watch.cancelled() {
        return Err(CollectError::Stopped.into());
    }
    send.await.map_err(|error| Unanswered {
        failure: Failure::of(operation, &error),
        message: error
            .as_service_error()
            .and_then(ProvideErrorMetadata::message)
            .unwrap_or_default()
            .to_owned(),
    })
}

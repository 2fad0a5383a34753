//! How often a request was sent until it was answered: the retries are the SDK's, so they are counted
//! where it sends.

use std::{
    cell::RefCell,
    fmt,
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use chrono::{DateTime, Utc};

use crate::domain::collection::Attempt;

tokio::task_local! {
    static ATTEMPTS: RefCell<Vec<Attempt>>;
}

/// Waits for an answer, and returns it with every attempt at it.
pub(super) async fn counted<T>(send: impl Future<Output = T>) -> (T, Vec<Attempt>) {
    let scope = async {
        let answer = send.await;
        (answer, ATTEMPTS.with(RefCell::take))
    };
    ATTEMPTS.scope(RefCell::default(), scope).await
}

/// Compares our clock with the one in an answer.
pub(super) fn seconds_ahead(answer: &HttpResponse) -> Option<i64> {
    let date = answer.headers().get("date")?;
    let theirs: DateTime<Utc> = DateTime::parse_from_rfc2822(date).ok()?.into();
    Some((Utc::now() - theirs).num_seconds())
}

/// Sends as another client does, and counts.
#[derive(Debug)]
pub(super) struct Counting(pub(super) SharedHttpClient);

impl HttpClient for Counting {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

struct Connector(SharedHttpConnector);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let begun = Instant::now();
        // An attempt that is given up never returns: it counts from its beginning.
        let at = ATTEMPTS.try_with(|attempts| {
            let mut attempts = attempts.borrow_mut();
            attempts.push(Attempt {
                status: None,
                took: Duration::ZERO,
                ahead: None,
            });
            attempts.len() - 1
        });
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            if let Ok(at) = at {
                let update = |attempts: &RefCell<Vec<Attempt>>| {
                    if let Some(attempt) = attempts.borrow_mut().get_mut(at) {
                        attempt.took = begun.elapsed();
                        if let Ok(answer) = &answer {
                            attempt.status = Some(answer.status().as_u16());
                            attempt.ahead = seconds_ahead(answer);
                        }
                    }
                };
                ATTEMPTS.try_with(update).unwrap_or_default();
            }
            answer
        })
    }
}

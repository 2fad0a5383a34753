//! S3 as its store's crate speaks it, with the credentials and the network that everything else has.

use std::{
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, HttpConnectorSettings},
    orchestrator::HttpRequest as SdkRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use object_store::{
    ClientOptions, CredentialProvider, Error as StoreError, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AwsCredential},
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use thiserror::Error;

use super::{
    CollectError,
    denial::{DeniedBy, named, shortened},
    s3_url::S3Url,
};

/// How long before credentials end new ones are asked for.
const EARLY: Duration = Duration::from_mins(5);

/// Why S3 does not hand an export over. The ledger is untouched.
#[derive(Debug, Error)]
pub enum S3Error {
    /// Credentials or network.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The credentials may not do this.
    #[error("access denied to {what}{}", named(by.as_ref()))]
    Denied {
        /// What.
        what: String,
        /// What denies it, where allowing it would not help.
        by: Option<DeniedBy>,
    },
    /// There is no such bucket or object.
    #[error("{what} is not there")]
    Gone {
        /// What.
        what: String,
    },
    /// Another object was put in its place.
    #[error("{what} was replaced while it was read")]
    Replaced {
        /// What.
        what: String,
    },
    /// Retried in vain, or not worth it.
    #[error("cannot read {what}: {why}")]
    Failed {
        /// What.
        what: String,
        /// In a few words.
        why: String,
    },
}

impl S3Error {
    pub(super) fn of(what: &str, error: &StoreError) -> Self {
        let what = what.to_owned();
        let text = chain(error);
        for code in ["ExpiredToken", "TokenRefreshRequired"] {
            if text.contains(code) {
                return CollectError::Expired(code.to_owned()).into();
            }
        }
        let is = |code: &str| text.contains(&format!("<Code>{code}<"));
        if is("InvalidObjectState") {
            let why = "it is archived, and has to be restored first".to_owned();
            return Self::Failed { what, why };
        }
        if text.contains("redirect without LOCATION")
            || is("PermanentRedirect")
            || is("TemporaryRedirect")
            || is("AuthorizationHeaderMalformed")
        {
            let region = between(&text, "<Region>", "</Region>").filter(|name| is_word(name));
            let region = region.unwrap_or("another region");
            let why = format!("its bucket is in {region}");
            return Self::Failed { what, why };
        }
        let by = DeniedBy::read(&text);
        match error {
            _ if text.contains("kms:Decrypt") || text.contains("KMS") => Self::Denied {
                what: format!("the key that {what} is encrypted with (kms:Decrypt)"),
                by,
            },
            StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
                Self::Denied { what, by }
            }
            StoreError::NotFound { .. } => Self::Gone { what },
            // A listing that is refused has no name of its own there.
            _ if is("AccessDenied") => Self::Denied { what, by },
            _ if is("NoSuchBucket") => Self::Gone { what },
            StoreError::Precondition { .. } => Self::Replaced { what },
            _ => Self::Failed {
                what,
                why: code(&text).map_or_else(|| shortened(&text, 300), str::to_owned),
            },
        }
    }
}

/// The word that S3 has for an error, in the document that it answers.
fn code(text: &str) -> Option<&str> {
    between(text, "<Code>", "</Code>").filter(|code| is_word(code))
}

fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(begin)?;
    Some(rest.split_once(end)?.0)
}

fn is_word(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.len() <= 60 && text.chars().all(allowed)
}

fn chain(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text += ": ";
            text += &more;
        }
        cause = error.source();
    }
    text
}

/// Returns the client of a bucket, with the credentials and the network that everything else has.
pub(super) fn client(config: &SdkConfig, url: &S3Url) -> Result<AmazonS3, CollectError> {
    let provider = config.credentials_provider();
    let provider = provider.ok_or(CollectError::NoCredentials)?;
    let retry = RetryConfig {
        max_retries: 7,
        retry_timeout: Duration::from_mins(3),
        ..RetryConfig::default()
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&url.bucket)
        .with_region(config.region().map_or("us-east-1", AsRef::as_ref))
        .with_credentials(Arc::new(Credentials {
            provider,
            known: Mutex::default(),
        }))
        .with_request_payer(url.requester_pays)
        .with_client_options(ClientOptions::new())
        .with_http_connector(Network)
        .with_retry(retry);
    let endpoint = std::env::var("AWS_ENDPOINT_URL_S3").ok();
    if let Some(endpoint) = endpoint.as_deref().or(config.endpoint_url()) {
        builder = builder
            .with_endpoint(endpoint)
            .with_allow_http(endpoint.starts_with("http://"));
    } else {
        builder = builder.with_virtual_hosted_style_request(!url.bucket.contains('.'));
    }
    builder
        .build()
        .map_err(|error| CollectError::BadCredentials(shortened(&chain(&error), 300)))
}

/// The credentials of AWS's own configuration, asked for again only when they end.
#[derive(Debug)]
struct Credentials {
    provider: SharedCredentialsProvider,
    known: Mutex<Option<(Arc<AwsCredential>, Option<SystemTime>)>>,
}

#[async_trait]
impl CredentialProvider for Credentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((credential, ends)) = &*known()
            && ends.is_none_or(|ends| ends > SystemTime::now() + EARLY)
        {
            return Ok(credential.clone());
        }
        let found = self.provider.provide_credentials().await;
        let found = found.map_err(|error| StoreError::Unauthenticated {
            path: String::new(),
            source: Box::new(error),
        })?;
        let credential = Arc::new(AwsCredential {
            key_id: found.access_key_id().to_owned(),
            secret_key: found.secret_access_key().to_owned(),
            token: found.session_token().map(str::to_owned),
        });
        *known() = Some((credential.clone(), found.expiry()));
        Ok(credential)
    }
}

/// The one TLS stack there is, as the store wants to have it.
#[derive(Debug)]
struct Network;

impl HttpConnector for Network {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(Duration::from_secs(3))
            .read_timeout(Duration::from_secs(30))
            .build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build();
        Ok(HttpClient::new(Connection(connector)))
    }
}

#[derive(Debug)]
struct Connection(Connector);

#[async_trait]
impl HttpService for Connection {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = request.map(|body| {
            let bytes = body.as_bytes().cloned().unwrap_or_default();
            SdkBody::from(bytes.to_vec())
        });
        let request = SdkRequest::try_from(request)
            .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let response = self.0.call(request).await.map_err(|error| {
            let kind = match () {
                () if error.is_timeout() => HttpErrorKind::Timeout,
                () if error.is_io() => HttpErrorKind::Connect,
                () => HttpErrorKind::Request,
            };
            HttpError::new(kind, error)
        })?;
        let response = response
            .try_into_http1x()
            .map_err(|error| HttpError::new(HttpErrorKind::Decode, error))?;
        let (head, body) = response.into_parts();
        // No answer is longer than a stretch of an object, and one that ends early is asked for again.
        let bytes = ByteStream::new(body).collect().await;
        let bytes = bytes.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))?;
        let body = HttpResponseBody::from(bytes.into_bytes());
        Ok(HttpResponse::from_parts(head, body))
    }
}

//! Where requests go: one client for each account, region and service, all over one connection pool.

use std::time::Duration;

use aws_config::{
    AppName, BehaviorVersion, Region as SdkRegion, SdkConfig, retry::RetryConfig,
    sts::AssumeRoleProvider, timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::{Login, Role, attempts::Counting};
use crate::domain::ids::Region;

/// Requests are tried so often before they count as failed.
pub(super) const ATTEMPTS: u32 = 8;

/// Loads the configuration the way AWS's own tools do: flags, environment, profile. Answers are waited
/// for so long before they are asked for again.
pub(super) async fn load(login: &Login, timeout: Duration) -> SdkConfig {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    // Slowing down when AWS says so is the default here; who asks for less gets it.
    let retry = match std::env::var("AWS_RETRY_MODE").as_deref() {
        Ok("standard") => RetryConfig::standard(),
        _ => RetryConfig::adaptive(),
    }
    .with_max_attempts(ATTEMPTS)
    .with_initial_backoff(Duration::from_millis(200));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .read_timeout(timeout)
        .operation_attempt_timeout(timeout + Duration::from_secs(10))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(SharedHttpClient::new(Counting(http)))
        .retry_config(retry)
        .timeout_config(timeouts)
        .app_name(AppName::new("pipebill").expect("the name is well formed"));
    if let Some(profile) = &login.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = login.regions.first() {
        loader = loader.region(SdkRegion::new(region.to_string()));
    }
    loader.load().await
}

/// Returns the configuration that acts as a role of another account.
pub(super) async fn assume(base: &SdkConfig, role: &Role) -> SdkConfig {
    let mut provider = AssumeRoleProvider::builder(&role.arn)
        .session_name("pipebill")
        .configure(base);
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    base.to_builder()
        .credentials_provider(aws_sdk_sts::config::SharedCredentialsProvider::new(
            provider.build().await,
        ))
        // The cache of the base would hand out its own credentials.
        .identity_cache(aws_config::identity::IdentityCache::lazy().build())
        .build()
}

/// Returns the configuration for another region.
pub(super) fn in_region(base: &SdkConfig, region: &Region) -> SdkConfig {
    base.to_builder()
        .region(SdkRegion::new(region.to_string()))
        .build()
}

/// Returns the configuration whose first requests fail fast: nobody waits a minute to be told that
/// there is no network.
pub(super) fn impatient(base: &SdkConfig) -> SdkConfig {
    base.to_builder()
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .build()
}

/// Returns the configuration for a region of the same partition that is never switched off, if this is
/// not that one already.
pub(super) fn elsewhere(base: &SdkConfig) -> Option<SdkConfig> {
    const ALWAYS_ON: &str = "us-east-1";
    let region = base.region()?.as_ref();
    // In the other partitions regions need not be enabled.
    let is_other = ["cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-"]
        .iter()
        .any(|prefix| region.starts_with(prefix));
    let has_another = !is_other && region != ALWAYS_ON;
    has_another.then(|| in_region(base, &Region::new(ALWAYS_ON)))
}

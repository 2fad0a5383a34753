//! AWS's bulk price lists, fetched: plain files behind HTTPS, no account needed.

use std::{collections::BTreeMap, time::Duration};

use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorSettings},
    orchestrator::HttpRequest,
};
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;
use thiserror::Error;

use crate::domain::ids::{Region, ServiceCode};

/// The largest list there is has some hundred megabytes; those of the code services are far smaller.
const LARGEST: usize = 512 << 20;

/// Why a price list cannot be fetched. Nothing was changed.
#[derive(Debug, Error)]
pub enum FetchError {
    /// Nobody answers.
    #[error("cannot reach {url}: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        why: String,
    },
    /// The answer is no file.
    #[error("{url} answers HTTP {status}")]
    Status {
        /// Where.
        url: String,
        /// How.
        status: u16,
    },
    /// The answer ended early, or never.
    #[error("{url} was not read to its end: {why}")]
    Broken {
        /// Where.
        url: String,
        /// Why.
        why: String,
    },
    /// The index of regions is something else.
    #[error("{url} is not an index of price lists")]
    NotAnIndex {
        /// Where.
        url: String,
    },
    /// The network cannot be started.
    #[error("cannot start the network runtime")]
    Runtime(#[source] std::io::Error),
}

/// A price list as AWS publishes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// Where it is from.
    pub url: String,
    /// The file.
    pub content: String,
}

/// Where price lists are, by partition: China has a host of its own.
pub fn base_url(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "https://pricing.cn-northwest-1.amazonaws.com.cn/offers/v1.0/cn",
        _ => "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws",
    }
}

/// Where the files behind AWS's pricing pages are.
pub const PAGES: &str = "https://b0.p.awsstatic.com/pricing/2.0";
/// The same for China.
pub const PAGES_OF_CHINA: &str = "https://b0.p.awsstatic.cn/pricing/2.0";

/// Does something with a connection, in a runtime that ends with it.
fn with<T>(ask: impl AsyncFnOnce(&Connector) -> Result<T, FetchError>) -> Result<T, FetchError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(FetchError::Runtime)?;
    runtime.block_on(async {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_mins(1))
            .build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build();
        ask(&connector).await
    })
}

/// Fetches files.
pub fn fetch_files(urls: &[String]) -> Result<Vec<Fetched>, FetchError> {
    with(async |connector| {
        let mut files = Vec::new();
        for url in urls {
            let content = get(connector, url).await?;
            let url = url.clone();
            files.push(Fetched { url, content });
        }
        Ok(files)
    })
}

/// Fetches the price lists of services in regions. Returns them, and which are not published.
pub fn fetch(
    wanted: &[(ServiceCode, Vec<(Region, String)>)],
) -> Result<(Vec<Fetched>, Vec<String>), FetchError> {
    with(async |connector| {
        let (mut lists, mut absent) = (Vec::new(), Vec::new());
        for (service, regions) in wanted {
            let mut indices: BTreeMap<&str, Value> = BTreeMap::new();
            for (region, base) in regions {
                let base = base.trim_end_matches('/');
                let url = format!("{base}/{service}/current/region_index.json");
                let not_an_index = || FetchError::NotAnIndex { url: url.clone() };
                if !indices.contains_key(base) {
                    let index = get(connector, &url).await?;
                    let index = serde_json::from_str(&index).map_err(|_| not_an_index())?;
                    indices.insert(base, index);
                }
                let regions = indices[base]["regions"].as_object();
                let regions = regions.ok_or_else(not_an_index)?;
                let Some(entry) = regions.get(region.as_str()) else {
                    absent.push(format!("{service} in {region}"));
                    continue;
                };
                let path = entry["currentVersionUrl"].as_str();
                // Files of the same host only, whatever an index says.
                let path = path.filter(|path| path.starts_with("/offers/") && !path.contains(".."));
                let path = path.ok_or_else(not_an_index)?;
                let host = base.split("/offers/").next().unwrap_or(base);
                let url = format!("{host}{path}");
                let content = get(connector, &url).await?;
                lists.push(Fetched { url, content });
            }
        }
        Ok((lists, absent))
    })
}

async fn get(connector: &Connector, url: &str) -> Result<String, FetchError> {
    let unreachable = |why: String| FetchError::Unreachable {
        url: url.to_owned(),
        why,
    };
    let mut request = HttpRequest::get(url).map_err(|error| unreachable(error.to_string()))?;
    request.headers_mut().insert("user-agent", "pipebill");
    let response = connector.call(request).await.map_err(|error| {
        let mut error: &dyn std::error::Error = &error;
        while let Some(cause) = error.source() {
            error = cause;
        }
        unreachable(error.to_string())
    })?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(FetchError::Status {
            url: url.to_owned(),
            status,
        });
    }
    let broken = |why: String| FetchError::Broken {
        url: url.to_owned(),
        why,
    };
    let mut stream = ByteStream::new(response.into_body());
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| broken(error.to_string()))?;
        bytes.extend_from_slice(&part);
        if bytes.len() > LARGEST {
            return Err(broken("it is larger than any price list".to_owned()));
        }
    }
    String::from_utf8(bytes).map_err(|_| broken("it is not text".to_owned()))
}

//! AWS's prices by its Query API, for where the bulk files cannot be reached: the same products, with
//! credentials. They are put together into the form of a bulk file and read as one.

use aws_sdk_pricing::{
    Client,
    types::{Filter, FilterType},
};
use serde_json::{Map, Value, json};

use super::{
    CollectError, Request, Watch, accounts::Account, error::Failure, operations::Operation,
    pages::Pages, price_lists::Fetched, run::Run,
};
use crate::{
    domain::{
        catalog::Catalog,
        ids::{Region, ServiceCode},
        metering::from_events::AccountRegion,
    },
    ledger::Ledger,
};

/// Asks for the prices of services in regions. Returns them as price lists, and which are not
/// published.
pub fn query(
    request: &Request,
    services: &[ServiceCode],
    regions: &[Region],
    catalog: &Catalog,
    watch: &dyn Watch,
) -> Result<(Vec<Fetched>, Vec<String>), CollectError> {
    let mut ledger = Ledger::in_memory()?;
    Run::with(request, catalog, &mut ledger, watch, async |run| {
        let accounts = run.accounts().await?;
        let account = accounts
            .first()
            .expect("one is opened, or none is an error");
        let (mut lists, mut absent) = (Vec::new(), Vec::new());
        for service in services {
            for region in regions {
                let what = format!("{service} in {region}");
                match offer(run, account, service, region).await {
                    Ok(Some(offer)) => lists.push(Fetched {
                        url: format!("{} of {what}", Operation::GetProducts.action()),
                        content: offer.to_string(),
                    }),
                    Ok(None) => absent.push(what),
                    Err(Failure::Fatal(error)) => return Err(error),
                    Err(failure) => {
                        return Err(CollectError::NoPrices {
                            why: failure.to_string(),
                            advice: failure.advice(),
                        });
                    }
                }
            }
        }
        Ok((lists, absent))
    })
}

/// Puts the products of a service in a region together; none if there are none.
async fn offer(
    run: &Run<'_>,
    account: &Account,
    service: &ServiceCode,
    region: &Region,
) -> Result<Option<Value>, Failure> {
    let operation = Operation::GetProducts;
    let place = AccountRegion {
        account: account.id.clone(),
        region: endpoint(&account.partition),
    };
    let client = Client::new(&account.in_region(&place.region));
    // What counts over all regions is listed in none of them.
    let is_global = run
        .catalog()
        .services
        .get(service)
        .is_some_and(|s| s.global);
    let filter = Filter::builder()
        .r#type(FilterType::TermMatch)
        .field("regionCode")
        .value(region.as_str())
        .build()
        .expect("type, field and value are set");
    let (mut products, mut terms) = (Map::new(), Map::new());
    let mut published = Value::Null;
    let mut pages = Pages::default();
    loop {
        let request = client
            .get_products()
            .service_code(service.as_str())
            .set_filters((!is_global).then(|| vec![filter.clone()]))
            .format_version("aws_v1")
            .max_results(100)
            .set_next_token(pages.token());
        let answer = run
            .ask_page(&place, operation, &pages, request.send())
            .await?;
        for product in answer.price_list() {
            let unreadable = || Failure::Failed {
                operation,
                why: "a product that cannot be read".to_owned(),
            };
            let mut product: Value = serde_json::from_str(product).map_err(|_| unreadable())?;
            let sku = product["product"]["sku"].as_str().ok_or_else(unreadable)?;
            let sku = sku.to_owned();
            if published.is_null() {
                published = product["publicationDate"].take();
            }
            terms.insert(sku.clone(), product["terms"]["OnDemand"].take());
            products.insert(sku, product["product"].take());
        }
        if !pages.turn(operation, answer.next_token)? {
            break;
        }
    }
    // Products without a price of their own, as savings plans have them.
    terms.retain(|_, terms| terms.is_object());
    Ok((!products.is_empty()).then(|| {
        json!({
            "offerCode": service.as_str(),
            "publicationDate": published,
            "products": products,
            "terms": {"OnDemand": terms},
        })
    }))
}

/// The region that the Query API answers in.
pub(super) fn endpoint(partition: &str) -> Region {
    Region::new(match partition {
        "aws-cn" => "cn-northwest-1",
        _ => "us-east-1",
    })
}

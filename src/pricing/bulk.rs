//! AWS's bulk price list: CSV or JSON.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::listed_price::{
    ListedPrice, PriceListError, Rows, checked_price, day, not_json, short_name,
};

/// Reads the CSV form.
pub(super) fn read_csv(file: &str, content: &str) -> Result<Rows, PriceListError> {
    let not = |problem: &str| PriceListError::NotAPriceList {
        file: file.to_owned(),
        problem: problem.to_owned(),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(content.as_bytes());
    let mut columns: Option<BTreeMap<String, usize>> = None;
    let mut published = None;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| not(&error.to_string()))?;
        let Some(columns) = &columns else {
            // Five lines about the file come before the header.
            if record.get(0) == Some("Publication Date") {
                published = record.get(1).and_then(day);
            } else if record.get(0) == Some("SKU") {
                columns = Some(
                    record
                        .iter()
                        .enumerate()
                        .map(|(at, name)| (name.to_owned(), at))
                        .collect(),
                );
            } else if record
                .position()
                .is_some_and(|position| position.line() > 8)
            {
                break;
            }
            continue;
        };
        let field = |name: &str| {
            let at = columns
                .get(name)
                .ok_or_else(|| not(&format!("no column {name}")))?;
            Ok::<_, PriceListError>(record.get(*at).unwrap_or("").to_owned())
        };
        if field("TermType")? != "OnDemand" {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let bad = |problem: String| PriceListError::BadValue {
            file: file.to_owned(),
            place: format!("line {line}"),
            problem,
        };
        let from = field("EffectiveDate")?;
        rows.push(ListedPrice {
            service: field("serviceCode")?,
            region: field("Region Code")?,
            usage_type: field("usageType")?,
            from: day(&from).ok_or_else(|| bad(format!("`{from}` is not a day")))?,
            sku: field("SKU")?,
            begin: field("StartingRange")?,
            end: field("EndingRange")?,
            unit: field("Unit")?,
            price: checked_price(&field("PricePerUnit")?).map_err(bad)?,
            currency: field("Currency")?,
            source: format!("AWS Price List, {}", short_name(file)),
            published,
        });
    }
    if columns.is_none() {
        return Err(not("no header line that begins with SKU"));
    }
    Ok(Rows {
        all: rows,
        published,
        ..Rows::default()
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offer {
    publication_date: Option<String>,
    products: BTreeMap<String, Product>,
    terms: OfferTerms,
}

#[derive(Deserialize)]
struct Product {
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct OfferTerms {
    #[serde(rename = "OnDemand", default)]
    on_demand: BTreeMap<String, BTreeMap<String, Term>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    effective_date: String,
    price_dimensions: BTreeMap<String, PriceDimension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PriceDimension {
    unit: String,
    begin_range: Option<String>,
    end_range: Option<String>,
    price_per_unit: BTreeMap<String, String>,
}

/// Reads the JSON form.
pub(super) fn read_json(file: &str, content: &str) -> Result<Rows, PriceListError> {
    let offer: Offer =
        serde_json::from_str(content).map_err(|error| PriceListError::NotAPriceList {
            file: file.to_owned(),
            problem: not_json(&error),
        })?;
    let published = offer.publication_date.as_deref().and_then(day);
    let mut rows = Vec::new();
    for (sku, terms) in &offer.terms.on_demand {
        let Some(product) = offer.products.get(sku) else {
            continue;
        };
        let attribute = |name: &str| product.attributes.get(name).cloned().unwrap_or_default();
        for term in terms.values() {
            for (code, dimension) in &term.price_dimensions {
                let bad = |problem: String| PriceListError::BadValue {
                    file: file.to_owned(),
                    place: format!("rate {code}"),
                    problem,
                };
                for (currency, price) in &dimension.price_per_unit {
                    let from = &term.effective_date;
                    rows.push(ListedPrice {
                        service: attribute("servicecode"),
                        region: attribute("regionCode"),
                        usage_type: attribute("usagetype"),
                        from: day(from).ok_or_else(|| bad(format!("`{from}` is not a day")))?,
                        sku: sku.clone(),
                        begin: dimension
                            .begin_range
                            .clone()
                            .unwrap_or_else(|| "0".to_owned()),
                        end: dimension
                            .end_range
                            .clone()
                            .unwrap_or_else(|| "Inf".to_owned()),
                        unit: dimension.unit.clone(),
                        price: checked_price(price).map_err(bad)?,
                        currency: currency.clone(),
                        source: format!("AWS Price List, {}", short_name(file)),
                        published,
                    });
                }
            }
        }
    }
    Ok(Rows {
        all: rows,
        published,
        ..Rows::default()
    })
}

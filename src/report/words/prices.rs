//! What price lists have and lack, and what an update of prices did.

use chrono::NaiveDate;

#[cfg(feature = "aws")]
use super::count;
use super::{Note, counted};
#[cfg(feature = "aws")]
use crate::pricing::change::{UpdateRemark, UpdatedPrices};
use crate::{
    domain::{catalog::Service, ids::Region},
    pricing::price_list::PriceList,
};

/// Says how to read the table of regions.
pub(crate) fn of_regions() -> Note {
    Note::new(
        "columns",
        "Columns up to Sandbox are CodeBuild families. `-`: not offered; `3 of 5`: some sizes, named by \
         `pipebill prices list --region REGION`.",
    )
}

/// Says how many meters of a service a region lacks.
pub(crate) fn not_offered(
    region: &Region,
    service: &Service,
    (lacking, of): (u64, u64),
    listed: NaiveDate,
) -> Note {
    let name = &service.name;
    Note::new(
        "not_offered",
        format!(
            "Not offered in {region}: {lacking} of {of} meters of {name} (AWS list of {listed})."
        ),
    )
    .with("region", region.as_str())
    .with("service", service.code.as_str())
    .with("not_offered", lacking)
    .with("meters", of)
    .with("listed", listed)
}

/// Says how many prices no list has.
pub(crate) fn unknown(prices: u64) -> Note {
    Note::new(
        "unknown_prices",
        format!(
            "{prices} prices are unknown, being in no list: usage of them is shown unpriced, never free."
        ),
    )
    .with("prices", prices)
}

/// Says which prices no list has for some regions; for none named, anywhere.
pub(crate) fn unknown_in(regions: &[String], what: &[String]) -> Note {
    let (regions, what) = (regions.join(", "), what.join(", "));
    let place = if regions.is_empty() {
        "everywhere".to_owned()
    } else {
        format!("in {regions}")
    };
    Note::new("unknown_in", format!("Unknown {place}: {what}."))
        .with("regions", regions)
        .with("what", what)
}

/// Says that prices are old.
pub(crate) fn old(prices: u64, today: NaiveDate) -> Note {
    Note::new(
        "old_prices",
        format!(
            "{} over a year old on {today}. AWS rarely changes prices, and billed prices take precedence. \
             Refresh: `pipebill prices update`.",
            counted(prices, "price")
        ),
    )
    .with("prices", prices)
    .with("today", today)
}

/// Says what was read of a list, and what was left out.
pub(crate) fn list(list: &PriceList) -> Note {
    let left_out = list.left_out.iter();
    let mut left_out: Vec<String> = left_out
        .map(|(why, rows)| format!("{rows} {why}"))
        .collect();
    if left_out.is_empty() {
        left_out.push("none".to_owned());
    }
    let (rows, left_out) = (list.rows as u64, left_out.join("; "));
    Note::new("list", format!("{rows} rows read; left out: {left_out}."))
        .with("rows", rows)
        .with("left_out", left_out)
}

/// Says that lists contradict each other.
pub(crate) fn contradiction(what: &str) -> Note {
    Note::new("contradiction", format!("Left out, contradictory: {what}.")).with("what", what)
}

/// Says what an update read.
#[cfg(feature = "aws")]
pub(crate) fn updated(updated: &UpdatedPrices, prices: u64) -> Note {
    let (lists, changed) = (updated.lists.len() as u64, updated.changes.len() as u64);
    let unchanged = updated.unchanged as u64;
    Note::new(
        "updated",
        format!(
            "{prices} prices read from {lists} lists: {changed} changed, {unchanged} as before."
        ),
    )
    .with("prices", prices)
    .with("lists", lists)
    .with("changed", changed)
    .with("unchanged", unchanged)
}

/// Says what an update could not do.
#[cfg(feature = "aws")]
pub(crate) fn update(remark: &UpdateRemark) -> Note {
    match remark {
        UpdateRemark::Unpublished { lists } => {
            let first = lists.first().map_or("", String::as_str);
            let others = match lists.len() {
                0 | 1 => String::new(),
                more => format!(" and {} others", count(more as u64 - 1)),
            };
            Note::new(
                "unpublished",
                format!("AWS publishes no price list of {first}{others}."),
            )
            .with("lists", lists.join(", "))
        }
        UpdateRemark::NothingKnown { file, rows } => Note::new(
            "nothing_known",
            format!(
                "{file}: no price of a known meter in {} rows.",
                count(*rows as u64)
            ),
        )
        .with("file", file.as_str())
        .with("rows", *rows as u64),
        UpdateRemark::Incomplete {
            file,
            service,
            missing,
            of,
        } => Note::new(
            "incomplete_list",
            format!(
                "{file} lacks {} of {} known {service} prices, which stay as they were.",
                count(*missing as u64),
                count(*of as u64)
            ),
        )
        .with("file", file.as_str())
        .with("service", service.as_str())
        .with("missing", *missing as u64)
        .with("of", *of as u64),
    }
}

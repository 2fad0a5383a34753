//! What an update of prices could not do.

use super::{Note, count};
use crate::pricing::change::UpdateRemark;

/// Says what an update could not do.
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
